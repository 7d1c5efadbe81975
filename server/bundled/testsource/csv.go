package testsource

import (
	"context"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// csvContent returns the table that the query brings along.
func csvContent(_ context.Context, q plugin.Query[model]) (*frame.Frame, error) {
	records, err := csv.NewReader(strings.NewReader(q.Model.CSVContent)).ReadAll()
	if err != nil {
		return nil, plugin.BadRequest("query: csvContent: %w", err)
	}
	if len(records) == 0 {
		return nil, plugin.BadRequest("query: csvContent is empty: its first line names the columns")
	}
	content := frame.New("csv")
	for i, name := range records[0] {
		texts := make([]string, 0, len(records)-1)
		for _, record := range records[1:] {
			texts = append(texts, strings.TrimSpace(record[i]))
		}
		content.Fields = append(content.Fields, csvField(name, texts))
	}
	return content, nil
}

// csvField makes a column of numbers, booleans or times if all its texts are
// such. An empty text is null.
func csvField(name string, texts []string) *frame.Field {
	if f := parseField(name, texts, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }); f != nil {
		return f
	}
	if f := parseField(name, texts, strconv.ParseBool); f != nil {
		return f
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		if f := parseField(name, texts, func(s string) (time.Time, error) { return time.Parse(layout, s) }); f != nil {
			return f
		}
	}
	return parseField(name, texts, func(s string) (string, error) { return s, nil })
}

// parseField returns nil if parse fails on one of the texts.
func parseField[T frame.Element](name string, texts []string, parse func(string) (T, error)) *frame.Field {
	values := make([]*T, len(texts))
	for i, text := range texts {
		if text == "" {
			continue
		}
		value, err := parse(text)
		if err != nil {
			return nil
		}
		values[i] = &value
	}
	return frame.NewNullableField(name, nil, values)
}
