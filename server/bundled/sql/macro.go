package sql

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/plugin"
)

// scope is what the macros of a query know.
type scope struct {
	timeRange plugin.TimeRange
	interval  time.Duration
}

// macro writes the SQL that stands for one use of it.
type macro func(s scope, args []string) (string, error)

// macros are Grafana's names for what a query asks of its time range, in
// SQLite's words. Times in a table may be text that SQLite understands, or
// Unix seconds.
var macros = map[string]macro{
	"__time":            func(_ scope, a []string) (string, error) { return one("%s AS time", a) },
	"__timeFilter":      timeFilter,
	"__timeFrom":        func(s scope, a []string) (string, error) { return none(sqlTime(s.timeRange.From), a) },
	"__timeTo":          func(s scope, a []string) (string, error) { return none(sqlTime(s.timeRange.To), a) },
	"__timeGroup":       timeGroup,
	"__unixEpochFilter": unixEpochFilter,
	"__unixEpochFrom":   func(s scope, a []string) (string, error) { return none(epoch(s.timeRange.From), a) },
	"__unixEpochTo":     func(s scope, a []string) (string, error) { return none(epoch(s.timeRange.To), a) },
	"__interval":        func(s scope, a []string) (string, error) { return none(intervalText(s.interval), a) },
	"__interval_ms": func(s scope, a []string) (string, error) {
		return none(strconv.FormatInt(s.interval.Milliseconds(), 10), a)
	},
}

// macroUse finds the start of a macro; its arguments follow by hand, as they
// may hold parentheses.
var macroUse = regexp.MustCompile(`\$(__\w+)`)

// maxMacros bounds how many macros one query may use, so that nesting them
// does not make the query grow without end.
const maxMacros = 1000

// expand replaces the macros of a query, innermost first.
func (s scope) expand(query string) (string, error) {
	left := maxMacros
	return s.expandPart(query, &left)
}

func (s scope) expandPart(query string, left *int) (string, error) {
	var b strings.Builder
	for {
		at := macroUse.FindStringSubmatchIndex(query)
		if at == nil {
			b.WriteString(query)
			return b.String(), nil
		}
		b.WriteString(query[:at[0]])
		name := query[at[2]:at[3]]
		args, rest, err := arguments(query[at[1]:])
		if err != nil {
			return "", fmt.Errorf("macro $%s: %w", name, err)
		}
		sql, err := s.use(name, args, left)
		if err != nil {
			return "", err
		}
		b.WriteString(sql)
		query = rest
	}
}

func (s scope) use(name string, args []string, left *int) (string, error) {
	if *left--; *left < 0 {
		return "", fmt.Errorf("more than %d macros in one query", maxMacros)
	}
	m, ok := macros[name]
	if !ok {
		return "", fmt.Errorf("no macro $%s, only $%s", name, strings.Join(slices.Sorted(maps.Keys(macros)), ", $"))
	}
	for i := range args {
		arg, err := s.expandPart(args[i], left)
		if err != nil {
			return "", err
		}
		args[i] = arg
	}
	sql, err := m(s, args)
	if err != nil {
		return "", fmt.Errorf("macro $%s: %w", name, err)
	}
	return sql, nil
}

// arguments reads "(a, b)" at the start of text, minding parentheses and
// quotes, and returns what follows it. Without a parenthesis there are none.
func arguments(text string) (args []string, rest string, err error) {
	if !strings.HasPrefix(text, "(") {
		return nil, text, nil
	}
	depth, start, quote := 1, 1, byte(0)
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case c == '(':
			depth++
		case c == ',' && depth == 1:
			args = append(args, strings.TrimSpace(text[start:i]))
			start = i + 1
		case c == ')':
			if depth--; depth > 0 {
				continue
			}
			if last := strings.TrimSpace(text[start:i]); last != "" || len(args) > 0 {
				args = append(args, last)
			}
			return args, text[i+1:], nil
		}
	}
	return nil, "", errors.New("its parenthesis is not closed")
}

func timeFilter(s scope, args []string) (string, error) {
	return one("unixepoch(%s, 'auto', 'subsec') BETWEEN "+epoch(s.timeRange.From)+" AND "+epoch(s.timeRange.To), args)
}

func unixEpochFilter(s scope, args []string) (string, error) {
	return one("%s BETWEEN "+epoch(s.timeRange.From)+" AND "+epoch(s.timeRange.To), args)
}

// timeGroup rounds a time down to its interval, as Unix seconds.
func timeGroup(_ scope, args []string) (string, error) {
	if len(args) != 2 {
		return "", fmt.Errorf("wants a column and an interval, got %d arguments", len(args))
	}
	interval, err := parseInterval(strings.Trim(args[1], `'"`))
	if err != nil {
		return "", err
	}
	seconds := int64(max(interval, time.Second) / time.Second)
	return fmt.Sprintf("CAST(floor(unixepoch(%s, 'auto') / %d.0) AS INTEGER) * %[2]d", args[0], seconds), nil
}

func one(format string, args []string) (string, error) {
	if len(args) != 1 || args[0] == "" {
		return "", fmt.Errorf("wants one column, got %d arguments", len(args))
	}
	return fmt.Sprintf(format, args[0]), nil
}

func none(sql string, args []string) (string, error) {
	if len(args) > 0 {
		return "", fmt.Errorf("takes no arguments, got %d", len(args))
	}
	return sql, nil
}

// sqlTime writes a time the way SQLite's datetime function does, so that it
// compares with times kept as text.
func sqlTime(t time.Time) string { return t.UTC().Format("'2006-01-02 15:04:05.999'") }

// epoch writes Unix seconds, to the millisecond.
func epoch(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
}

// units are the intervals' units, longest first.
var units = []struct {
	name string
	size time.Duration
}{
	{"w", 7 * 24 * time.Hour},
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
}

// intervalText writes an interval in its largest whole unit, as in "15m".
func intervalText(d time.Duration) string {
	for _, u := range units[1:] {
		if d >= u.size && d%u.size == 0 {
			return strconv.FormatInt(int64(d/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(max(1, d.Milliseconds()), 10) + "ms"
}

// parseInterval reads a number with a unit, as in "1d".
func parseInterval(text string) (time.Duration, error) {
	digits := strings.TrimRight(text, "wdhms")
	n, err := strconv.Atoi(digits)
	for _, u := range units {
		if err == nil && n > 0 && text[len(digits):] == u.name && time.Duration(n) <= maxInterval/u.size {
			return time.Duration(n) * u.size, nil
		}
	}
	return 0, fmt.Errorf("interval %q is not a number with one of the units w d h m s ms", text)
}

const maxInterval = 100 * 365 * 24 * time.Hour
