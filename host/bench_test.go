//go:build unix

package host

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/plugboard/plugboard/internal/badplugin"
	"github.com/plugboard/plugboard/plugin"
)

// BenchmarkQuery compares a query through the host with one through a plain
// client to the same process: the difference is what the host costs.
func BenchmarkQuery(b *testing.B) {
	h, err := New(Config{Bundled: []Bundled{{
		Manifest: badplugin.Manifest("good", badplugin.Good),
		Command:  badplugin.Command(badplugin.Good),
	}}})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	stopped := make(chan error)
	go func() { stopped <- h.Run(ctx) }()
	defer func() {
		stop()
		<-stopped
	}()
	held, err := h.members["good"].acquire(ctx, true)
	if err != nil {
		b.Fatal(err)
	}

	request := &plugin.QueryRequest{
		Context: plugin.Context{PluginID: "good", DataSource: &plugin.DataSourceSettings{ID: 1, UID: "ds"}},
		Queries: []plugin.DataQuery{{RefID: "A", JSON: []byte(`{"say": "hello"}`)}},
	}
	b.Run("host", func(b *testing.B) {
		measure(b, func() error { _, err := h.Query(ctx, request); return err })
	})
	filled := *request
	filled.Context = h.fill(h.members["good"], request.Context)
	b.Run("client", func(b *testing.B) {
		measure(b, func() error { _, err := held.Process.client.Query(ctx, &filled); return err })
	})
}

// measure reports the processor time of our side beside the usual.
func measure(b *testing.B, ask func() error) {
	b.ReportAllocs()
	before := processorTime(b)
	for b.Loop() {
		if err := ask(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}

func processorTime(b *testing.B) time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
