package sql

import (
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/plugin"
)

var march = scope{
	timeRange: plugin.TimeRange{
		From: time.Date(2012, 3, 1, 0, 0, 0, 0, time.UTC),
		To:   time.Date(2012, 4, 1, 12, 30, 0, 250e6, time.UTC),
	},
	interval: 15 * time.Minute,
}

func TestMacros(t *testing.T) {
	for _, test := range []struct{ query, want string }{
		{"SELECT 1", "SELECT 1"},
		{"SELECT $__time(date)", "SELECT date AS time"},
		{"WHERE $__timeFilter(date)", "WHERE unixepoch(date, 'auto', 'subsec') BETWEEN 1330560000 AND 1333283400.25"},
		{"WHERE $__timeFilter(max(a, ')'))", "WHERE unixepoch(max(a, ')'), 'auto', 'subsec') BETWEEN 1330560000 AND 1333283400.25"},
		{"d > $__timeFrom() AND d < $__timeTo()", "d > '2012-03-01 00:00:00' AND d < '2012-04-01 12:30:00.25'"},
		{"d > $__timeFrom AND 1", "d > '2012-03-01 00:00:00' AND 1"},
		{"$__unixEpochFilter(t)", "t BETWEEN 1330560000 AND 1333283400.25"},
		{"$__unixEpochFrom() $__unixEpochTo()", "1330560000 1333283400.25"},
		{"'$__interval' $__interval_ms", "'15m' 900000"},
		{"$__timeGroup(date, 1d)", "CAST(floor(unixepoch(date, 'auto') / 86400.0) AS INTEGER) * 86400"},
		{"$__timeGroup(date, '$__interval')", "CAST(floor(unixepoch(date, 'auto') / 900.0) AS INTEGER) * 900"},
		{"price in $ and $_x", "price in $ and $_x"},
	} {
		got, err := march.expand(test.query)
		if err != nil {
			t.Errorf("%s: %v", test.query, err)
		}
		if got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.query, got, test.want)
		}
	}
}

func TestMacroFaults(t *testing.T) {
	for query, want := range map[string]string{
		"$__timeFilter(a":                           "macro $__timeFilter: its parenthesis is not closed",
		"$__timeFilter()":                           "macro $__timeFilter: wants one column, got 0 arguments",
		"$__timeFrom(a)":                            "macro $__timeFrom: takes no arguments, got 1",
		"$__timeGroup(a)":                           "macro $__timeGroup: wants a column and an interval, got 1 arguments",
		"$__timeGroup(a, soon)":                     `interval "soon" is not a number`,
		"$__timeGroup(a, 99999999w)":                `interval "99999999w" is not a number`,
		"$__nosuch(a)":                              "no macro $__nosuch, only $__interval, ",
		strings.Repeat("$__interval ", maxMacros+1): "more than 1000 macros",
	} {
		_, err := march.expand(query)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: error %v, want %s", query, err, want)
		}
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

func FuzzExpand(f *testing.F) {
	f.Add("SELECT $__timeGroup(time, '$__interval') WHERE $__timeFilter(f(x, ')'))")
	f.Fuzz(func(t *testing.T, query string) {
		got, err := march.expand(query)
		if err == nil && !strings.Contains(query, "$__") && got != query {
			t.Errorf("%q has no macro, but became %q", query, got)
		}
	})
}
