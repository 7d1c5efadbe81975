package sqlframe

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame/transform"
	"github.com/plugboard/plugboard/plugin"
)

var update = flag.Bool("update", false, "rewrite golden files")

var march = Query{
	TimeRange: plugin.TimeRange{
		From: time.Date(2012, 3, 1, 0, 0, 0, 0, time.UTC),
		To:   time.Date(2012, 4, 1, 12, 30, 0, 250e6, time.UTC),
	},
	Interval: 15 * time.Minute,
}

func expand(d Dialect, query string) (string, spacing, error) {
	q := march
	q.SQL = query
	return Reader{Dialect: d}.expand(q)
}

var dialects = []struct {
	Dialect
	name string
}{{PostgreSQL, "PostgreSQL"}, {TimescaleDB, "TimescaleDB"}, {MySQL, "MySQL"}, {SQLite, "SQLite"}, {SQLServer, "SQLServer"}, {ClickHouse, "ClickHouse"}}

// TestMacros writes what every macro becomes in every dialect.
func TestMacros(t *testing.T) {
	var b strings.Builder
	for _, query := range []string{
		"SELECT 1",
		"$__time(date)",
		"$__timeEpoch(date)",
		"$__timeFilter(date)",
		"$__timeFilter(max(a, ')'))",
		"$__timeFilter(a OR b)",
		`$__timeFilter("t"."at")`,
		"$__timeFrom() $__timeTo() $__timeFrom $__timeTo",
		"$__timeGroup(date, 1d)",
		"$__timeGroup(date,'$__interval')",
		"$__timeGroupAlias(date, '500ms', 0)",
		"$__unixEpochFilter(t)",
		"$__unixEpochFrom() $__unixEpochTo()",
		"$__unixEpochNanoFilter(t)",
		"$__unixEpochNanoFrom() $__unixEpochNanoTo()",
		"$__unixEpochGroup(t + 1, 5m)",
		"$__unixEpochGroupAlias(t, 1h, previous)",
		"'$__interval' $__interval_ms",
		"$__timeGroup($__time(x), $__interval)",
	} {
		fmt.Fprintf(&b, "%s\n", query)
		for _, d := range dialects {
			got, _, err := expand(d.Dialect, query)
			if err != nil {
				t.Errorf("%s: %s: %v", d.name, query, err)
			}
			fmt.Fprintf(&b, "\t%-11s %s\n", d.name, got)
		}
	}
	golden(t, "testdata/macros.txt", b.String())
}

// golden compares text with a file; -update writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what was written; got\n%s", path, got)
	}
}

// TestQuoting checks where macros are found, and that no argument reaches
// beyond its place.
func TestQuoting(t *testing.T) {
	const in = "BETWEEN 1330560000 AND 1333283400"
	for _, test := range []struct {
		dialect     Dialect
		query, want string
	}{
		{PostgreSQL, "price in $ and $_x, $1", "price in $ and $_x, $1"},
		{PostgreSQL, "a$__interval", "a15m"},
		{PostgreSQL, "-- $__nosuch()\n$__interval", "-- $__nosuch()\n15m"},
		{PostgreSQL, "/* $__nosuch( /* */ */ $__interval", "/* $__nosuch( /* */ */ 15m"},
		{MySQL, "/* /* */ $__interval", "/* /* */ 15m"},
		{MySQL, "# $__nosuch()\n$__interval 1--1", "# $__nosuch()\n15m 1--1"},
		{PostgreSQL, "j #> '{a}' $__interval", "j #> '{a}' 15m"},
		{PostgreSQL, "'-- ' $__interval", "'-- ' 15m"},
		{PostgreSQL, "'$__nosuch $__interval'", "'$__nosuch 15m'"},
		{PostgreSQL, "$$ it's $$ || $__interval", "$$ it's $$ || 15m"},
		{PostgreSQL, "$__interval -- the end", "15m -- the end"},
		{PostgreSQL, "'not closed $__interval", "'not closed $__interval"},
		// A comment would swallow what the macro writes behind it.
		{PostgreSQL, "$__unixEpochFilter(a -- )\n)", "a " + in},
		{PostgreSQL, "$__unixEpochFilter(a /* ) */ + b)", "(a   + b) " + in},
		{MySQL, "$__unixEpochFilter(a # )\n)", "a " + in},
		{PostgreSQL, "$__unixEpochFilter(a ## b)", "(a ## b) " + in},
		// Quotes hold parentheses and commas, in each dialect's way.
		{PostgreSQL, `$__unixEpochFilter("a)")`, `("a)") ` + in},
		{PostgreSQL, `$__unixEpochFilter(E'\')' || a)`, `(E'\')' || a) ` + in},
		{PostgreSQL, `$__unixEpochFilter(f('it''s (', '\'))`, `(f('it''s (', '\')) ` + in},
		{PostgreSQL, "$__unixEpochFilter($x$ ) $x$)", "($x$ ) $x$) " + in},
		{MySQL, `$__unixEpochFilter(f('\')', "\")"))`, `(f('\')', "\")")) ` + in},
		{MySQL, "$__unixEpochFilter(`a)b`)", "(`a)b`) " + in},
		{SQLite, "$__unixEpochFilter([a)b])", "([a)b]) " + in},
	} {
		got, _, err := expand(test.dialect, test.query)
		if err != nil || got != test.want {
			t.Errorf("%s:\n got %s\nwant %s\nerror %v", test.query, got, test.want, err)
		}
	}
}

func TestMacroFaults(t *testing.T) {
	for query, want := range map[string]string{
		"$__timeFilter(a":                           "macro $__timeFilter: its parenthesis is not closed",
		"$__timeFilter(a')":                         `macro $__timeFilter: the quote or comment at "')" is not closed`,
		"$__timeFilter(a -- )":                      "macro $__timeFilter: the quote or comment",
		"$__timeFilter(a; DROP TABLE b)":            "macro $__timeFilter: a semicolon in its arguments",
		"$__timeFilter()":                           "macro $__timeFilter: wants one column, got 0 arguments",
		"$__timeFilter(a, b)":                       "macro $__timeFilter: wants one column, got 2 arguments",
		"$__timeFrom(a)":                            "macro $__timeFrom: takes no arguments, got 1",
		"$__timeGroup(a)":                           "macro $__timeGroup: wants a column, an interval and perhaps a fill, got 1 arguments",
		"$__timeGroup(a, soon)":                     `interval "soon" is not a number`,
		"$__timeGroup(a, 99999999w)":                `interval "99999999w" is not a number`,
		"$__timeGroup(a, 1d, 0 OR 1)":               `fill "0 OR 1" is neither NULL, previous nor a number`,
		"$__timeGroup($__nosuch(a), 1d)":            "macro $__timeGroup: no macro $__nosuch, only $__interval, ",
		"$__nosuch(a)":                              "no macro $__nosuch, only $__interval, ",
		strings.Repeat("$__interval ", maxMacros+1): "more than 1000 macros",
	} {
		_, _, err := expand(PostgreSQL, query)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: error %v, want %s", query, err, want)
		}
	}
}

func TestFillArgument(t *testing.T) {
	for arg, want := range map[string]transform.Fill{
		"NULL":       {Mode: transform.FillNull},
		"null":       {Mode: transform.FillNull},
		"previous":   {Mode: transform.FillPrevious},
		"'previous'": {Mode: transform.FillPrevious},
		"-1.5":       {Mode: transform.FillValue, Value: -1.5},
	} {
		_, even, err := expand(PostgreSQL, "$__timeGroup(a, 5m, "+arg+")")
		if err != nil || even != (spacing{want, 5 * time.Minute}) {
			t.Errorf("%s: %+v, %v", arg, even, err)
		}
	}
}

// TestBefore1970 checks MySQL, whose FROM_UNIXTIME does not go there.
func TestBefore1970(t *testing.T) {
	q := Query{SQL: "$__timeFrom()", TimeRange: plugin.TimeRange{From: time.Unix(-86400, 0)}}
	got, err := Reader{Dialect: MySQL}.Expand(q)
	if want := "DATE_ADD(FROM_UNIXTIME(0), INTERVAL -86400 SECOND)"; err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestIntervalText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                       "1ms",
		1500 * time.Millisecond: "1500ms",
		90 * time.Second:        "90s",
		2 * time.Hour:           "2h",
		14 * 24 * time.Hour:     "14d",
	} {
		if got := intervalText(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestOwnMacros(t *testing.T) {
	r := Reader{Macros: map[string]Macro{
		"__tenant": func(_ Query, args []string) (string, error) { return PostgreSQL.Literal("it's " + args[0]), nil },
		"__time":   func(_ Query, args []string) (string, error) { return PostgreSQL.Identifier("a", `b"c`), nil },
	}}
	got, err := r.Expand(Query{SQL: "$__tenant(x) $__time(x)"})
	if want := `'it''s x' "a"."b""c"`; err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
}

// FuzzExpand checks that expansion ends, and that no argument closes more than
// it opened, whatever the dialect.
func FuzzExpand(f *testing.F) {
	f.Add("SELECT $__timeGroup(time, '$__interval') WHERE $__timeFilter(f(x, ')'))", 0)
	f.Add("$__timeFilter(a -- )\n) /* */ $$ $x$ # `", 1)
	f.Add(`$__timeFilter(E'\'' || [a] "\")`, 3)
	f.Fuzz(func(t *testing.T, query string, n int) {
		dialect := Dialect(uint(n) % 6)
		got, _, err := expand(dialect, query)
		if err == nil && !strings.Contains(query, "$__") && got != query {
			t.Errorf("%q has no macro, but became %q", query, got)
		}
		args, _, err := dialect.arguments("(" + query)
		if err != nil {
			return
		}
		for _, arg := range args {
			if again, rest, err := dialect.arguments("(" + arg + ")"); err != nil || rest != "" || len(again) > 1 {
				t.Errorf("argument %q reads as %q and %q, %v", arg, again, rest, err)
			}
		}
	})
}
