package badplugin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/plugboard/plugboard/wire"
)

// The channels of the plugin. Every packet is {"pid":…,"run":…,"n":…}: the
// process, how often it has run the channel, and the packet's number in the
// run.
const (
	StreamTicks  = "ticks"  // a packet every few milliseconds
	StreamEnds   = "ends"   // three packets, then the end
	StreamFails  = "fails"  // one packet, then an error
	StreamCrash  = "crash"  // a few packets, then the end of the process
	StreamFlood  = "flood"  // packets of 64 KiB as fast as they go
	StreamAsks   = "asks"   // ticks, but every run needs a subscription before it
	StreamDenied = "denied" // refused
)

type streams struct {
	wire.UnimplementedStreamServer

	mu         sync.Mutex
	runs       map[string]int
	subscribed map[string]bool
}

func newStreams() *streams {
	return &streams{runs: map[string]int{}, subscribed: map[string]bool{}}
}

func (s *streams) SubscribeStream(_ context.Context, req *wire.SubscribeStreamRequest) (*wire.SubscribeStreamResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribed[req.Path] = true
	switch name, _, _ := strings.Cut(req.Path, "/"); name {
	case StreamTicks, StreamEnds, StreamFails, StreamCrash, StreamFlood, StreamAsks:
		return &wire.SubscribeStreamResponse{Data: []byte(`{"initial":true}`)}, nil
	case StreamDenied:
		return &wire.SubscribeStreamResponse{Status: wire.SubscribeStreamResponse_PERMISSION_DENIED}, nil
	default:
		return &wire.SubscribeStreamResponse{Status: wire.SubscribeStreamResponse_NOT_FOUND}, nil
	}
}

// PublishStream lets everything be published.
func (s *streams) PublishStream(_ context.Context, req *wire.PublishStreamRequest) (*wire.PublishStreamResponse, error) {
	return &wire.PublishStreamResponse{Data: req.Data}, nil
}

func (s *streams) RunStream(req *wire.RunStreamRequest, stream grpc.ServerStreamingServer[wire.StreamPacket]) error {
	run, subscribed := s.begin(req.Path)
	name, _, _ := strings.Cut(req.Path, "/")
	if name == StreamAsks && !subscribed {
		return errors.New("a run without a subscription")
	}
	for n := 0; ; n++ {
		packet := fmt.Appendf(nil, `{"pid":%d,"run":%d,"n":%d,"data":%q}`, os.Getpid(), run, n, req.Data)
		if name == StreamFlood {
			packet = fmt.Appendf(packet, "%65536s", "")
		}
		if err := stream.Send(&wire.StreamPacket{Data: packet}); err != nil {
			return err
		}
		switch {
		case name == StreamEnds && n == 2:
			return nil
		case name == StreamFails:
			return errors.New("ordered to fail")
		case name == StreamCrash && n == 5:
			os.Exit(7)
		case name == StreamFlood:
			continue
		}
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// begin counts a run, and takes the subscription that allows it.
func (s *streams) begin(path string) (run int, subscribed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[path]++
	subscribed = s.subscribed[path]
	delete(s.subscribed, path)
	return s.runs[path], subscribed
}
