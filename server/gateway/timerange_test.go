package gateway

import (
	"strings"
	"testing"
	"time"
)

// A Thursday.
var testNow = time.Date(2026, 2, 19, 13, 45, 30, 500e6, time.UTC)

func TestParseTime(t *testing.T) {
	for _, test := range []struct{ text, from, to string }{
		{"1700000000000", "2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z"},
		{"1.7e12", "2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z"},
		{"-1000", "1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"},
		{"2026-02-19T10:00:00+02:00", "2026-02-19T08:00:00Z", "2026-02-19T08:00:00Z"},
		{"now", "2026-02-19T13:45:30.5Z", "2026-02-19T13:45:30.5Z"},
		{"now-1h", "2026-02-19T12:45:30.5Z", "2026-02-19T12:45:30.5Z"},
		{"now+30m", "2026-02-19T14:15:30.5Z", "2026-02-19T14:15:30.5Z"},
		{"now-h", "2026-02-19T12:45:30.5Z", "2026-02-19T12:45:30.5Z"},
		{"now/s", "2026-02-19T13:45:30Z", "2026-02-19T13:45:30.999Z"},
		{"now/h", "2026-02-19T13:00:00Z", "2026-02-19T13:59:59.999Z"},
		{"now/d", "2026-02-19T00:00:00Z", "2026-02-19T23:59:59.999Z"},
		{"now/w", "2026-02-16T00:00:00Z", "2026-02-22T23:59:59.999Z"},
		{"now/M", "2026-02-01T00:00:00Z", "2026-02-28T23:59:59.999Z"},
		{"now/Q", "2026-01-01T00:00:00Z", "2026-03-31T23:59:59.999Z"},
		{"now/y", "2026-01-01T00:00:00Z", "2026-12-31T23:59:59.999Z"},
		{"now-1d/d", "2026-02-18T00:00:00Z", "2026-02-18T23:59:59.999Z"},
		{"now-1d/d+8h", "2026-02-18T08:00:00Z", "2026-02-19T07:59:59.999Z"},
		{"now-2y-1M-1w", "2024-01-12T13:45:30.5Z", "2024-01-12T13:45:30.5Z"},
	} {
		from, err := parseTime(test.text, testNow, false)
		if got := from.Format(time.RFC3339Nano); err != nil || got != test.from {
			t.Errorf("from %q is %s (%v), want %s", test.text, got, err, test.from)
		}
		to, err := parseTime(test.text, testNow, true)
		if got := to.Format(time.RFC3339Nano); err != nil || got != test.to {
			t.Errorf("to %q is %s (%v), want %s", test.text, got, err, test.to)
		}
	}
	for _, text := range []string{
		"xyz", "now-", "now-1", "now1h", "now-1x", "now/2d", "now/", "now-99999999999999999999h", "now -1h",
		"nowhere", "NaN", "Inf", "1e300", "yesterday", "now-1h/d/", "5m",
	} {
		if got, err := parseTime(text, testNow, false); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}

func TestTimeRange(t *testing.T) {
	for _, test := range []struct{ from, to, fault string }{
		{"", "", ""},
		{"null", "null", ""},
		{`"now-1h"`, `"now"`, ""},
		{`1700000000000`, `"1700003600000"`, ""},
		{`"now"`, "", `no "to"`},
		{"", `"now"`, `no "from"`},
		{`"xyz"`, `"now"`, `"from" of the time range: "xyz"`},
		{`"now"`, `{}`, `"to" of the time range`},
		{`"now"`, `"now-1h"`, "ends before it begins"},
	} {
		_, err := timeRange([]byte(test.from), []byte(test.to), testNow)
		if (err == nil) != (test.fault == "") || err != nil && !strings.Contains(err.Error(), test.fault) {
			t.Errorf("from %s to %s: %v, want %q", test.from, test.to, err, test.fault)
		}
	}
}

// FuzzParseTime: no text may bring the parser down or keep it busy.
func FuzzParseTime(f *testing.F) {
	f.Add("now-1d/d+8h", false)
	f.Add("now/w", true)
	f.Add("1700000000000", false)
	f.Fuzz(func(t *testing.T, text string, end bool) {
		at, err := parseTime(text, testNow, end)
		if again, err2 := parseTime(text, testNow, end); (err == nil) != (err2 == nil) || !again.Equal(at) {
			t.Errorf("%q is read as %s (%v), then as %s (%v)", text, at, err, again, err2)
		}
	})
}
