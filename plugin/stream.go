package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/wire"
)

// Channel is what a subscription, a publication or a stream is about.
type Channel struct {
	// Path is the channel's part after the data source or plugin, exactly as
	// the subscriber wrote it.
	Path string
	// Data is the subscriber's own JSON, or what is published; empty if there
	// is none.
	Data json.RawMessage
}

// Streamer runs channels.
type Streamer interface {
	// RunStream sends packets until ctx ends or there are no more. The host
	// runs one stream for all subscribers of a channel, and runs it again if
	// it ends with an error. ctx ends too when the settings have changed.
	RunStream(ctx context.Context, channel Channel, to *Sender) error
}

// Subscriber decides who may listen. A plugin that has streams and is no
// Subscriber lets everyone in whom the host does.
type Subscriber interface {
	Subscribe(ctx context.Context, channel Channel) (StreamReply, error)
}

// Publisher takes what clients publish to a channel.
type Publisher interface {
	Publish(ctx context.Context, channel Channel) (StreamReply, error)
}

// Sender sends the packets of one stream. It may be used from many
// goroutines, until RunStream returns.
type Sender struct {
	mu     sync.Mutex
	send   func(*wire.StreamPacket) error
	schema []byte // that of the last frame sent
}

// SendFrame sends one frame: the first with its schema, those that follow
// without, until the schema changes. It waits while the host is slow, and
// fails when nobody listens any more. The frame may be used again afterwards.
func (s *Sender) SendFrame(f *frame.Frame) error {
	if f == nil {
		return errNilFrame
	}
	schema, err := framejson.Append(nil, f, framejson.IncludeSchemaOnly)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	parts := framejson.IncludeAll
	if bytes.Equal(schema, s.schema) {
		parts = framejson.IncludeDataOnly
	}
	packet, err := framejson.Append(nil, f, parts)
	if err != nil {
		return err
	}
	s.schema = schema
	return s.send(&wire.StreamPacket{Data: packet})
}

// SendJSON sends one packet. It waits while the host is slow, and fails when
// nobody listens any more.
func (s *Sender) SendJSON(packet json.RawMessage) error {
	if !json.Valid(packet) {
		return errors.New("a packet must be JSON")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.send(&wire.StreamPacket{Data: packet})
}

func (s *server) SubscribeStream(ctx context.Context, req *wire.SubscribeStreamRequest) (*wire.SubscribeStreamResponse, error) {
	if !s.plugin.offer.subscribe && !s.plugin.offer.stream {
		return nil, toStatus(ErrNotImplemented)
	}
	var reply StreamReply
	err := s.call(ctx, "subscribeStream", call{context: contextFromWire(req.PluginContext), headers: req.Headers},
		func(ctx context.Context, h *held) (err error) {
			if h.subscriber != nil {
				reply, err = h.subscriber.Subscribe(ctx, Channel{Path: req.Path, Data: req.Data})
			}
			return err
		})
	if err != nil {
		return nil, toStatus(err)
	}
	return &wire.SubscribeStreamResponse{
		Status: wire.SubscribeStreamResponse_Status(reply.Status),
		Data:   reply.Data,
	}, nil
}

func (s *server) PublishStream(ctx context.Context, req *wire.PublishStreamRequest) (*wire.PublishStreamResponse, error) {
	if !s.plugin.offer.publish {
		return nil, toStatus(ErrNotImplemented)
	}
	var reply StreamReply
	err := s.call(ctx, "publishStream", call{context: contextFromWire(req.PluginContext), headers: req.Headers},
		func(ctx context.Context, h *held) (err error) {
			reply, err = h.publisher.Publish(ctx, Channel{Path: req.Path, Data: req.Data})
			return err
		})
	if err != nil {
		return nil, toStatus(err)
	}
	return &wire.PublishStreamResponse{
		Status: wire.PublishStreamResponse_Status(reply.Status),
		Data:   reply.Data,
	}, nil
}

func (s *server) RunStream(req *wire.RunStreamRequest, stream wire.Stream_RunStreamServer) error {
	if !s.plugin.offer.stream {
		return toStatus(ErrNotImplemented)
	}
	err := s.call(stream.Context(), "runStream", call{context: contextFromWire(req.PluginContext), headers: req.Headers},
		func(ctx context.Context, h *held) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(s.draining, cancel)()
			defer context.AfterFunc(h.retired, cancel)()
			err := h.streamer.RunStream(ctx, Channel{Path: req.Path, Data: req.Data}, &Sender{send: stream.Send})
			switch {
			case s.draining.Err() != nil:
				return errClosed
			case h.retired.Err() != nil:
				return errReplaced
			}
			return err
		})
	return toStatus(err)
}
