package httpsource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/plugin"
)

// body is a text, or JSON.
type body struct {
	text string
	json bool
}

// UnmarshalJSON takes any JSON.
func (b *body) UnmarshalJSON(raw []byte) error {
	if bytes.HasPrefix(raw, []byte(`"`)) {
		return json.Unmarshal(raw, &b.text)
	}
	if string(raw) != "null" {
		b.text, b.json = string(raw), true
	}
	return nil
}

// parameter is the values of one parameter.
type parameter []string

// UnmarshalJSON takes a text, number, boolean or a list of these.
func (p *parameter) UnmarshalJSON(raw []byte) error {
	var list []json.RawMessage
	if !bytes.HasPrefix(raw, []byte("[")) {
		list = []json.RawMessage{raw}
	} else if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	for _, value := range list {
		text := string(value)
		switch text[0] {
		case '{', '[':
			return errors.New("params: want texts, numbers, true or false, or lists of these")
		case '"':
			if err := json.Unmarshal(value, &text); err != nil {
				return err
			}
		case 'n':
			continue
		}
		*p = append(*p, text)
	}
	return nil
}

// question is a query made ready to be asked.
type question struct {
	model
	root    steps
	columns []columnModel
}

func newQuestion(q plugin.Query[model]) (*question, error) {
	m := q.Model
	m.Method = strings.ToUpper(m.Method)
	if m.Method == "" {
		m.Method = http.MethodGet
	}
	if m.Method != http.MethodGet && m.Method != http.MethodPost {
		return nil, fmt.Errorf("method %s is neither GET nor POST", m.Method)
	}
	if m.Method == http.MethodGet && m.Body.text != "" {
		return nil, errors.New("a body needs method POST")
	}
	root, err := parseRoot(m.Format, m.RootPath)
	if err != nil {
		return nil, fmt.Errorf("rootPath: %w", err)
	}
	if len(m.Columns) > maxColumns {
		return nil, fmt.Errorf("columns has more than %d", maxColumns)
	}
	if err := m.Pagination.check(); err != nil {
		return nil, fmt.Errorf("pagination.%w", err)
	}
	replaceVariables(&m, q.TimeRange)
	return &question{model: m, root: root, columns: m.Columns}, nil
}

// parseRoot reads a rootPath, which is a selector of tables where the format
// is, or may turn out to be, HTML.
func parseRoot(format, root string) (steps, error) {
	if format == "csv" && root != "" {
		return nil, errors.New("csv has none")
	}
	if format == "html" {
		return nil, checkHTMLRoot(root)
	}
	way, err := parsePath(root)
	if err != nil && format == "" && checkHTMLRoot(root) == nil {
		return steps{root}, nil // which JSON and XML will not have
	}
	return way, err
}

// replaceVariables puts the ends of the time range where the query names them,
// as Grafana's global variables do.
func replaceVariables(m *model, r plugin.TimeRange) {
	var pairs []string
	for _, end := range []struct {
		name string
		at   time.Time
	}{{"__from", r.From}, {"__to", r.To}} {
		ms := strconv.FormatInt(end.at.UnixMilli(), 10)
		pairs = append(pairs,
			"${"+end.name+"}", ms, "$"+end.name, ms,
			"${"+end.name+":date}", end.at.UTC().Format("2006-01-02T15:04:05.000Z"),
			"${"+end.name+":date:iso}", end.at.UTC().Format("2006-01-02T15:04:05.000Z"),
			"${"+end.name+":date:seconds}", strconv.FormatInt(end.at.Unix(), 10))
	}
	replace := strings.NewReplacer(pairs...).Replace
	m.URL, m.Body.text = replace(m.URL), replace(m.Body.text)
	for name, value := range m.Headers {
		m.Headers[name] = replace(value)
	}
	for _, values := range m.Params {
		for i := range values {
			values[i] = replace(values[i])
		}
	}
}

// steps lead to a value: the keys of objects, or the indices of arrays.
type steps []string

// parsePath reads a.b, a[0].b, a.0.b and a["b.c"]. The empty path is the whole.
func parsePath(text string) (steps, error) {
	var p steps
	rest := text
	for rest != "" {
		if inside, bracket := strings.CutPrefix(rest, "["); bracket {
			step, after, err := bracketed(inside)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", text, err)
			}
			p, rest = append(p, step), after
		} else {
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return nil, fmt.Errorf("%q has an empty step", text)
			}
			p, rest = append(p, rest[:end]), rest[end:]
		}
		if after, dot := strings.CutPrefix(rest, "."); dot {
			if after == "" {
				return nil, fmt.Errorf("%q ends with a dot", text)
			}
			rest = after
		}
	}
	return p, nil
}

// bracketed reads 0] or "a key"].
func bracketed(text string) (step, rest string, err error) {
	if strings.HasPrefix(text, `"`) {
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return "", "", errors.New("a key in brackets lacks its closing quote")
		}
		step, err := strconv.Unquote(quoted)
		rest, closed := strings.CutPrefix(text[len(quoted):], "]")
		if err != nil || !closed {
			return "", "", errors.New("a bracket is not closed")
		}
		return step, rest, nil
	}
	step, rest, closed := strings.Cut(text, "]")
	if _, err := strconv.ParseUint(step, 10, 31); err != nil || !closed {
		return "", "", errors.New("in brackets stands a number, or a key in quotes")
	}
	return step, rest, nil
}
