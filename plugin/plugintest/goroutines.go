package plugintest

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strings"
	"sync/atomic"
)

// marks tells the plugins of a test binary apart.
var marks atomic.Int64

// marked runs f in a goroutine of its own, and returns what tells whether that
// runs, and those that it started, and that those started in turn: one paragraph
// for each place where some are, empty when there are none.
func marked(f func()) func() string {
	mark := fmt.Sprint(marks.Add(1))
	go pprof.Do(context.Background(), pprof.Labels("plugintest", mark), func(context.Context) { f() })
	label := fmt.Sprintf("%q:%q", "plugintest", mark)
	return func() string {
		var all bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
			return err.Error()
		}
		var ours []string
		for _, place := range strings.Split(all.String(), "\n\n") {
			if strings.Contains(place, label) {
				ours = append(ours, place)
			}
		}
		return strings.Join(ours, "\n\n")
	}
}
