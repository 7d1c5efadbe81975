package prometheus

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/plugin"
)

// word is one that an editor completes, and what it is.
type word struct {
	Value string `json:"value"`
	Label string `json:"label,omitempty"`
}

const (
	// mostWords bounds what is asked for at once.
	mostWords = 10_000
	// recent is how far back names are looked for.
	recent = 12 * time.Hour
	// mostHelp is how much of a metric's help is told, in bytes.
	mostHelp = 120
)

// durations are what stands in brackets most.
var durations = []word{
	{"$__rate_interval", "the shortest that rate is sure of"}, {"$__interval", "the step of the graph"}, {"$__range", "the whole time range"},
	{"1m", ""}, {"5m", ""}, {"15m", ""}, {"1h", ""}, {"1d", ""},
}

// complete answers GET completions?before=… with the words that may be written
// after a piece of PromQL.
func (s *server) complete(w http.ResponseWriter, r *http.Request) error {
	words, err := s.words(r.Context(), placeAfter(r.FormValue("before")))
	if err != nil {
		return s.failed(err)
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(words)
}

func (s *server) words(ctx context.Context, p place) ([]word, error) {
	values := url.Values{"start": {strconv.FormatInt(time.Now().Add(-recent).Unix(), 10)}, "limit": {strconv.Itoa(mostWords)}}
	if p.metric != "" {
		values.Set("match[]", `{__name__=`+strconv.Quote(p.metric)+`}`)
	}
	switch p.kind {
	case inMetrics:
		return s.metrics(ctx, values)
	case inLabels:
		return s.names(ctx, "api/v1/labels", values)
	case inValues:
		return s.names(ctx, "api/v1/label/"+url.PathEscape(p.label)+"/values", values)
	case inDuration:
		return durations, nil
	default:
		return []word{}, nil
	}
}

// metrics are the names of metrics, with what they are where the server knows.
func (s *server) metrics(ctx context.Context, values url.Values) ([]word, error) {
	words, err := s.names(ctx, "api/v1/label/__name__/values", values)
	if err != nil {
		return nil, err
	}
	var about map[string][]struct{ Type, Help string }
	if s.read(ctx, "api/v1/metadata", url.Values{"limit_per_metric": {"1"}}, &about) != nil {
		return words, nil // names do without
	}
	for i, w := range words {
		if of := about[w.Value]; len(of) > 0 {
			words[i].Label = of[0].Type + " · " + strings.ToValidUTF8(of[0].Help[:min(len(of[0].Help), mostHelp)], "")
		}
	}
	return words, nil
}

func (s *server) names(ctx context.Context, endpoint string, values url.Values) ([]word, error) {
	var names []string
	if err := s.read(ctx, endpoint, values, &names); err != nil {
		return nil, err
	}
	words := make([]word, 0, len(names))
	for _, name := range names[:min(len(names), mostWords)] { // older servers know no limit
		if name != "__name__" {
			words = append(words, word{Value: name})
		}
	}
	return words, nil
}

// read reads the data of an answer that is not of a query.
func (s *server) read(ctx context.Context, endpoint string, values url.Values, into any) error {
	response, err := s.send(ctx, http.MethodGet, endpoint, values)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: into}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Status != "success" {
		return plugin.Downstream(fmt.Errorf("%s%s %s", where(response), response.Status, answer.Error))
	}
	return nil
}

// kind is what may be written somewhere in PromQL.
type kind int

const (
	inMetrics kind = iota
	inLabels
	inValues
	inDuration
	inNothing // in a comment, or a text that is nobody's value
)

// place is where in PromQL somebody writes.
type place struct {
	kind   kind
	metric string // whose labels they are, if that is known
	label  string // whose values they are
}

// labelLists are the words whose parentheses have names of labels inside.
var labelLists = []string{"by", "without", "on", "ignoring", "group_left", "group_right"}

// placeAfter reads PromQL up to where somebody writes. It need not be whole, or
// right.
func placeAfter(text string) place {
	var open []place // what is inside of what
	top := place{kind: inMetrics}
	name, matching := "", false // the last name, and whether a matcher's operator follows it
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '#':
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				return place{kind: inNothing}
			}
			i += end
		case c == '"' || c == '\'' || c == '`':
			end := closing(text, i)
			if end < 0 {
				if top.kind == inLabels && matching {
					return place{kind: inValues, metric: top.metric, label: name}
				}
				return place{kind: inNothing}
			}
			i, matching = end, false
		case isName(c):
			start := i
			for i < len(text) && (isName(text[i]) || text[i] >= '0' && text[i] <= '9') {
				i++
			}
			name, matching = text[start:i], false
			continue
		case c == '{':
			open, top = append(open, top), place{kind: inLabels, metric: name}
		case c == '[':
			open, top = append(open, top), place{kind: inDuration}
		case c == '(':
			open = append(open, top)
			if top = (place{kind: inMetrics}); slices.Contains(labelLists, strings.ToLower(name)) {
				top.kind = inLabels
			}
		case (c == '}' || c == ']' || c == ')') && len(open) > 0:
			open, top = open[:len(open)-1], open[len(open)-1]
		case c == '=' || c == '!' || c == '~':
			matching = true
		}
		if c != ' ' && c != '\t' && c != '\n' && c != '=' && c != '!' && c != '~' {
			name = ""
		}
		i++
	}
	return top
}

// closing is where the text that begins at i ends; -1 if it does not.
func closing(text string, i int) int {
	for j := i + 1; j < len(text); j++ {
		if text[j] == '\\' && text[i] != '`' {
			j++
		} else if text[j] == text[i] {
			return j
		}
	}
	return -1
}

func isName(c byte) bool {
	return c == '_' || c == ':' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
