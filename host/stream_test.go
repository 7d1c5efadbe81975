package host_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/internal/badplugin"
	"github.com/plugboard/plugboard/plugin"
)

// tick is a packet of the bad plugin's streams.
type tick struct {
	PID, Run, N int
	Data        string
}

func streamOf(path string) *plugin.StreamRequest {
	return &plugin.StreamRequest{
		Context: plugin.Context{PluginID: badplugin.Good, DataSource: &plugin.DataSourceSettings{ID: 1, UID: "ds"}},
		Path:    path,
		Data:    json.RawMessage(`"mine"`),
	}
}

// keep renews a context without a change.
func keep(context.Context) (plugin.Context, error) { return streamOf("").Context, nil }

func subscribe(t *testing.T, h *host.Host, path string) *host.Subscription {
	t.Helper()
	s, err := h.Subscribe(t.Context(), streamOf(path), keep)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func next(t *testing.T, s *host.Subscription) tick {
	t.Helper()
	packet, err := s.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var decoded tick
	if err := json.Unmarshal(packet, &decoded); err != nil {
		t.Fatalf("packet %s: %v", packet, err)
	}
	return decoded
}

func TestSubscribersShareAStream(t *testing.T) {
	h := withModes(t, badplugin.Good)
	first, second := subscribe(t, h, badplugin.StreamTicks), subscribe(t, h, badplugin.StreamTicks)
	if p, _ := h.Plugin(badplugin.Good); p.Streams != 1 {
		t.Errorf("%d streams run", p.Streams)
	}
	if string(first.Initial()) != `{"initial":true}` || string(second.Initial()) != `{"initial":true}` {
		t.Errorf("initial packets %s and %s", first.Initial(), second.Initial())
	}
	if a, b := next(t, first), next(t, second); a.Run != 1 || b.Run != 1 || a.Data != `"mine"` {
		t.Errorf("packets %+v and %+v", a, b)
	}
	first.Close()
	second.Close()
	if again := subscribe(t, h, badplugin.StreamTicks); next(t, again).Run != 2 {
		t.Error("the stream was not stopped after its last subscriber")
	}
}

func TestStreamSurvivesItsPlugin(t *testing.T) {
	for _, path := range []string{badplugin.StreamTicks, badplugin.StreamAsks + "//A==/b"} {
		t.Run(path, func(t *testing.T) {
			h := withModes(t, badplugin.Good)
			s := subscribe(t, h, path)
			before := next(t, s)
			kill(t, fmt.Sprint(before.PID))
			after := before
			for after.PID == before.PID {
				after = next(t, s)
			}
			if after.N != 0 || after.Run != 1 {
				t.Errorf("the first packet of the new process: %+v", after)
			}
		})
	}
}

func TestStreamOfAPluginThatDiesAgainAndAgain(t *testing.T) {
	h := withModes(t, badplugin.Good)
	s := subscribe(t, h, badplugin.StreamCrash)
	seen := map[int]bool{}
	for len(seen) < 3 {
		seen[next(t, s).PID] = true
	}
}

func TestStreamsEnd(t *testing.T) {
	h := withModes(t, badplugin.Good)
	s := subscribe(t, h, badplugin.StreamEnds)
	for n := range 3 {
		if got := next(t, s); got.N != n {
			t.Errorf("packet %+v", got)
		}
	}
	if _, err := s.Next(t.Context()); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
}

func TestRefusedStreams(t *testing.T) {
	h := withModes(t, badplugin.Good)
	for path, want := range map[string]error{badplugin.StreamDenied: host.ErrStreamDenied, "no/such/channel": host.ErrStreamNotFound} {
		if _, err := h.Subscribe(t.Context(), streamOf(path), keep); !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestRenewedStreams(t *testing.T) {
	h := withModes(t, badplugin.Good)
	s := subscribe(t, h, badplugin.StreamAsks)
	next(t, s)
	h.RenewStreams(badplugin.Good, "ds")
	for next(t, s).Run != 2 {
	}

	gone := errors.New("data source is gone")
	s, err := h.Subscribe(t.Context(), streamOf(badplugin.StreamTicks), func(context.Context) (plugin.Context, error) {
		return plugin.Context{}, gone
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h.RenewStreams(badplugin.Good, "ds")
	for err == nil {
		_, err = s.Next(t.Context())
	}
	if !errors.Is(err, gone) {
		t.Errorf("the stream ended with %v", err)
	}
}

func TestPublish(t *testing.T) {
	h := withModes(t, badplugin.Good)
	s := subscribe(t, h, badplugin.StreamTicks)
	reply, err := h.Publish(t.Context(), streamOf(badplugin.StreamTicks))
	if err != nil || reply.Status != plugin.StreamOK {
		t.Fatalf("reply %+v, %v", reply, err)
	}
	for {
		packet, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if string(packet) == `"mine"` {
			return
		}
	}
}

func TestHostEndsItsStreams(t *testing.T) {
	h, err := host.New(host.Config{Bundled: []host.Bundled{bundled(badplugin.Good)}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.Run(ctx) }()
	s := subscribe(t, h, badplugin.StreamFlood)
	cancel()
	<-ended
	for err == nil {
		_, err = s.Next(t.Context())
	}
	if err != io.EOF && !errors.Is(err, host.ErrSlow) {
		t.Errorf("the stream ended with %v", err)
	}
}
