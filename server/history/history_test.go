package history_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plugboard/plugboard/frame/framecsv"
	"github.com/plugboard/plugboard/server/history"
)

// run keeps a history of what counters tell, for so long.
func run(t *testing.T, length time.Duration, counters func(elapsed time.Duration) []history.Reading) *history.History {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), length+time.Second)
	defer cancel()
	start := time.Now()
	h := history.New(func(context.Context) []history.Reading { return counters(time.Since(start)) })
	if err := h.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return h
}

// rows returns a history as CSV, without its heading and its dates.
func rows(t *testing.T, h *history.History, plugin string, back time.Duration) []string {
	t.Helper()
	var text strings.Builder
	if err := framecsv.Write(&text, h.Frame(plugin, back)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(text.String(), "\r\n", "\n")), "\n")
	if lines[0] != "time,cpu,memory,requests,errors" {
		t.Errorf("columns %s", lines[0])
	}
	for i, line := range lines {
		lines[i] = line[strings.IndexByte(line, 'T')+1:]
	}
	return lines[1:]
}

// Half a processor, and a process that has ended and come back after 30 s: what
// there is between is not known, and what the new one has used counts from its
// start.
func TestWhatIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, 50*time.Second, func(elapsed time.Duration) []history.Reading {
			r := history.Reading{Plugin: "a", Calls: elapsed.Seconds() * 3, Failed: elapsed.Seconds()}
			switch {
			case elapsed < 30*time.Second:
				r.Usage = &history.Usage{PID: 1, CPU: elapsed / 2, Memory: 100}
			case elapsed >= 40*time.Second:
				r.Usage = &history.Usage{PID: 2, CPU: elapsed - 40*time.Second + time.Second, Memory: 50}
			}
			return []history.Reading{r, {Plugin: "b"}}
		})
		want := "00:00:10Z,50,100,3,1|00:00:20Z,50,100,3,1|00:00:30Z,,,3,1|00:00:40Z,10,50,3,1|00:00:50Z,100,50,3,1"
		if got := strings.Join(rows(t, h, "a", time.Hour), "|"); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		if got := rows(t, h, "a", 20*time.Second); len(got) != 2 || got[0] != "00:00:40Z,10,50,3,1" {
			t.Errorf("of the last 20 s: %q", got)
		}
		if got := rows(t, h, "nosuch", time.Hour); len(got) != 0 {
			t.Errorf("of a plugin that there is not: %q", got)
		}
	})
}

// One that runs elsewhere is not heard of for a step: that it has computed for
// days is nothing that it did in the next.
func TestElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, 40*time.Second, func(elapsed time.Duration) []history.Reading {
			r := history.Reading{Plugin: "a", Usage: &history.Usage{CPU: 50*time.Hour + elapsed/2, Memory: 100}}
			if elapsed == 20*time.Second {
				r.Usage = nil
			}
			return []history.Reading{r}
		})
		want := "00:00:10Z,50,100,0,0|00:00:20Z,,,0,0|00:00:30Z,,,0,0|00:00:40Z,50,100,0,0"
		if got := strings.Join(rows(t, h, "a", time.Hour), "|"); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	})
}

// However long it runs, it keeps an hour closely and a day coarsely.
func TestOldIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, 30*time.Hour, func(elapsed time.Duration) []history.Reading {
			memory := 100.0
			if elapsed == 29*time.Hour+10*time.Second {
				memory = 900 // for one step
			}
			return []history.Reading{{Plugin: "a", Calls: 2 * elapsed.Seconds(), Usage: &history.Usage{PID: 1, CPU: elapsed / 4, Memory: memory}}}
		})
		hour, day := rows(t, h, "a", time.Hour), rows(t, h, "a", 24*time.Hour)
		if len(hour) != 360 || hour[0] != "05:00:10Z,25,900,2,0" || hour[359] != "06:00:00Z,25,100,2,0" {
			t.Errorf("%d points of the hour, from %s to %s", len(hour), hour[0], hour[len(hour)-1])
		}
		if len(day) != 288 || day[0] != "06:05:00Z,25,100,2,0" || day[287] != "06:00:00Z,25,100,2,0" {
			t.Errorf("%d points of the day, from %s to %s", len(day), day[0], day[len(day)-1])
		}
		if want := "05:05:00Z,25,900,2,0"; day[276] != want {
			t.Errorf("%s, want %s: the peak is lost", day[276], want)
		}
	})
}

func Example() {
	h := history.New(func(context.Context) []history.Reading { return nil })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = h.Run(ctx) // until ctx ends
	fmt.Println(h.Frame("acme-datasource", 24*time.Hour).Rows(), "rows")
	// Output: 0 rows
}
