package plugin

import (
	"context"
	"encoding/json"

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
	// it ends with an error or a panic. ctx ends too when the settings have
	// changed.
	RunStream(ctx context.Context, channel Channel, to *Sender) error
}

// Subscriber decides who may listen. A plugin that has streams and is no
// Subscriber lets everyone in whom the host does.
//
// Who subscribes to a channel that runs already gets the frame sent last, with
// its schema, as the first packet, unless the Data of the reply is another.
type Subscriber interface {
	Subscribe(ctx context.Context, channel Channel) (StreamReply, error)
}

// Publisher takes what clients publish to a channel.
type Publisher interface {
	Publish(ctx context.Context, channel Channel) (StreamReply, error)
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
			if len(reply.Data) == 0 && reply.Status == StreamOK {
				reply.Data = h.senders.latest(req.Path)
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
			err := s.runStream(ctx, h, req, stream)
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

// runStream runs the author's stream, and sends what is left to send when that
// has ended without a fault.
func (s *server) runStream(ctx context.Context, h *held, req *wire.RunStreamRequest, stream wire.Stream_RunStreamServer) error {
	to := &Sender{send: stream.Send, dropped: s.metrics.dropped}
	h.senders.add(req.Path, to)
	defer h.senders.remove(req.Path, to)
	defer to.abandon()
	if err := h.streamer.RunStream(ctx, Channel{Path: req.Path, Data: req.Data}, to); err != nil {
		return err
	}
	return to.finish()
}
