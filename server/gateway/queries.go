package gateway

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/datasource"
)

// What a query model gets where it does not say.
const (
	defaultRefID         = "A"
	defaultMaxDataPoints = 100
	defaultInterval      = time.Second
)

// sourceQuery is one query of a request and the data source it asks.
type sourceQuery struct {
	source datasource.Key
	plugin.DataQuery
}

// parseQueries reads the body of a query request. The queries' JSON are slices
// of body.
func parseQueries(body []byte, now time.Time) ([]sourceQuery, error) {
	var from, to, list []byte
	if err := checkObject(body); err != nil {
		return nil, badRequest("bad request data: %w", err)
	}
	for key, value := range members(body) {
		switch key {
		case "from":
			from = value
		case "to":
			to = value
		case "queries":
			list = value
		}
	}
	var queries []sourceQuery
	seen := map[string]bool{}
	for model := range elements(list) {
		query, err := parseQuery(model)
		if err != nil {
			return nil, err
		}
		if seen[query.RefID] {
			return nil, badRequest("bad request data: two queries have the refId %q, and an answer can be given to one only", query.RefID)
		}
		seen[query.RefID] = true
		queries = append(queries, query)
	}
	if len(queries) == 0 {
		return nil, &failure{status: 400, id: "query.noQueries", message: "No queries found"}
	}
	span, err := timeRange(from, to, now)
	if err != nil {
		return nil, badRequest("bad request data: %w", err)
	}
	for i := range queries {
		queries[i].TimeRange = span
	}
	return queries, nil
}

func parseQuery(model []byte) (sourceQuery, error) {
	query := sourceQuery{DataQuery: plugin.DataQuery{
		RefID:         defaultRefID,
		MaxDataPoints: defaultMaxDataPoints,
		Interval:      defaultInterval,
		JSON:          model,
	}}
	if model[0] != '{' {
		return query, badRequest("bad request data: a query is a JSON object, not %.40s", model)
	}
	var ref, legacyID []byte
	for key, value := range members(model) {
		switch key {
		case "refId":
			if refID := stringOf(value); refID != "" {
				query.RefID = refID
			}
		case "maxDataPoints":
			query.MaxDataPoints = integerOr(value, defaultMaxDataPoints)
		case "intervalMs":
			query.Interval = time.Duration(integerOr(value, defaultInterval.Milliseconds())) * time.Millisecond
		case "queryType":
			query.QueryType = stringOf(value) // a number has a meaning to its plugin only
		case "datasource":
			ref = value
		case "datasourceId":
			legacyID = value
		}
	}
	var err error
	query.source, err = sourceKey(query.RefID, ref, legacyID)
	return query, err
}

// sourceKey reads which data source a query asks: {"uid":…}, the uid alone as
// old clients send it, or the numeric id of still older ones.
func sourceKey(refID string, ref, legacyID []byte) (datasource.Key, error) {
	uid := stringOf(ref)
	for key, value := range members(ref) {
		if key == "uid" {
			uid = stringOf(value)
		}
	}
	id := integerOr(legacyID, 0)
	switch {
	case uid == "__expr__" || uid == "-100" || uid == "" && id == -100:
		return datasource.Key{}, badRequest("query %q is an expression, which this server does not evaluate", refID)
	case uid != "":
		return datasource.ByUID(uid), nil
	case id > 0:
		return datasource.ByID(id), nil
	}
	return datasource.Key{}, &failure{
		status: 400, id: "query.invalidDatasourceId",
		message: fmt.Sprintf(`Query does not contain a valid data source identifier: query %q needs "datasource":{"uid":"…"}`, refID),
	}
}

// integerOr reads a JSON number, leaving out its fraction. What is no number,
// or none that could be meant, is the fallback.
func integerOr(value []byte, fallback int64) int64 {
	const limit = 1 << 40
	number, err := strconv.ParseFloat(string(value), 64)
	if err != nil || number < -limit || number > limit {
		return fallback
	}
	return int64(number)
}

// checkObject tells whether text is a JSON object, and if not, why.
func checkObject(text []byte) error {
	if json.Valid(text) {
		if at := skipBlank(text, 0); text[at] == '{' {
			return nil
		}
		return fmt.Errorf("not a JSON object")
	}
	var ignored json.RawMessage
	return json.Unmarshal(text, &ignored)
}
