package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/wire"
)

// Sender sends the packets of one stream. It may be used from many
// goroutines, until RunStream returns.
//
// A host that is slow makes it wait, unless KeepLatest says otherwise.
type Sender struct {
	send    func(*wire.StreamPacket) error
	dropped prometheus.Counter

	// mu keeps packets in order; a host that is slow holds it.
	mu      sync.Mutex
	schema  []byte // that of the last frame sent, as {"schema":…}
	next    packet // made again for every frame
	message wire.StreamPacket
	ended   bool

	queue *queue

	// sentMu guards what a late subscriber gets.
	sentMu     sync.Mutex
	sentSchema []byte
	sentData   []byte
}

// packet is what is to be sent: a frame as two objects, {"schema":…} and
// {"data":…}, or without a schema anything.
type packet struct{ schema, data []byte }

var errStreamEnded = errors.New("the stream has ended")

// SendFrame sends one frame: the first with its schema, those that follow
// without, until the schema changes. It waits while the host is slow, and
// fails when nobody listens any more. The frame may be used again afterwards.
func (s *Sender) SendFrame(f *frame.Frame) error {
	if f == nil {
		return errNilFrame
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue != nil {
		s.next = packet{} // the queue keeps the last one
	}
	var err error
	if s.next.schema, err = framejson.Append(s.next.schema[:0], f, framejson.IncludeSchemaOnly); err != nil {
		return err
	}
	if s.next.data, err = framejson.Append(s.next.data[:0], f, framejson.IncludeDataOnly); err != nil {
		return err
	}
	return s.put(s.next)
}

// SendRows sends rows, structs, as a frame of that name: see frame.FromStructs.
func SendRows[T any](to *Sender, name string, rows ...T) error {
	f, err := frame.FromStructs(name, rows)
	if err != nil {
		return err
	}
	return to.SendFrame(f)
}

// SendJSON sends one packet that is no frame. It waits while the host is slow,
// and fails when nobody listens any more.
func (s *Sender) SendJSON(data json.RawMessage) error {
	if !json.Valid(data) {
		return errors.New("a packet must be JSON")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue != nil {
		data = bytes.Clone(data)
	}
	return s.put(packet{data: data})
}

// put sends a packet or leaves that to the queue. s.mu is held.
func (s *Sender) put(p packet) error {
	if s.ended {
		return errStreamEnded
	}
	if s.queue != nil {
		return s.queue.put(p)
	}
	return s.transmit(p)
}

// transmit sends a packet: that of a frame with its schema, if that is another
// than the last. It is called by one goroutine at a time. The packet's bytes
// are free when it returns: gRPC has encoded them.
func (s *Sender) transmit(p packet) error {
	s.message.Data = p.data
	if p.schema != nil && !bytes.Equal(p.schema, s.schema) {
		s.schema = append(s.schema[:0], p.schema...)
		s.message.Data = joined(p.schema, p.data)
	}
	if p.schema != nil {
		s.sentMu.Lock()
		s.sentSchema, s.sentData = append(s.sentSchema[:0], p.schema...), append(s.sentData[:0], p.data...)
		s.sentMu.Unlock()
	}
	return s.send(&s.message)
}

// joined makes {"schema":…,"data":…} of {"schema":…} and {"data":…}.
func joined(schema, data []byte) []byte {
	whole := make([]byte, 0, len(schema)+len(data))
	whole = append(append(whole, schema[:len(schema)-1]...), ',')
	return append(whole, data[1:]...)
}

// latest is the frame sent last, with its schema; nil if there is none.
func (s *Sender) latest() json.RawMessage {
	s.sentMu.Lock()
	defer s.sentMu.Unlock()
	if len(s.sentData) == 0 {
		return nil
	}
	return joined(s.sentSchema, s.sentData)
}

// senders are those of an instance's running streams, by the channel's path.
// Several hosts may run the same.
type senders struct {
	mu     sync.Mutex
	byPath map[string][]*Sender
}

func (s *senders) add(path string, to *Sender) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byPath == nil {
		s.byPath = map[string][]*Sender{}
	}
	s.byPath[path] = append(s.byPath[path], to)
}

func (s *senders) remove(path string, to *Sender) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var left []*Sender
	for _, other := range s.byPath[path] {
		if other != to {
			left = append(left, other)
		}
	}
	if s.byPath[path] = left; len(left) == 0 {
		delete(s.byPath, path)
	}
}

// latest is the frame that was sent last on a channel.
func (s *senders) latest(path string) json.RawMessage {
	s.mu.Lock()
	running := s.byPath[path]
	s.mu.Unlock()
	if len(running) == 0 {
		return nil
	}
	return running[len(running)-1].latest()
}
