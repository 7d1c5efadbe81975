package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	protocodec "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/plugboard/plugboard/internal/bytepool"
	"github.com/plugboard/plugboard/wire"
)

// permits bound how many answers of a plugin are received and used at once. A
// query takes one when its answer begins: those that are still being worked on
// hold none. Answers that wait for one have sent no more than a stream's
// window.
type permits chan struct{}

// newPermits makes enough of them to keep every processor busy, and no more:
// each stands for a whole answer in memory.
func newPermits() permits { return make(permits, max(4, runtime.GOMAXPROCS(0))) }

// take returns how to give the permit back, which may be done more than once.
func (p permits) take(ctx context.Context) (release func(), err error) {
	select {
	case p <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return sync.OnceFunc(func() { <-p }), nil
}

var queryDesc = &grpc.StreamDesc{StreamName: "QueryData"}

// queryData makes a unary call in steps, so that it can wait between the
// beginning of the answer and the rest of it.
func (c *Client) queryData(ctx context.Context, req request, into *gathered) (release func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.conn.NewStream(ctx, queryDesc, wire.Data_QueryData_FullMethodName, c.queryOptions...)
	if err != nil {
		return nil, fromStatus(err)
	}
	if err := stream.SendMsg(req); err != nil && !errors.Is(err, io.EOF) { // io.EOF: RecvMsg says why
		return nil, fromStatus(err)
	}
	_, _ = stream.Header() // RecvMsg says why there is none
	if release, err = c.permits.take(ctx); err != nil {
		return nil, err
	}
	if err := stream.RecvMsg(into); err != nil {
		release()
		return nil, c.overLimit(err)
	}
	return release, nil
}

// gathered is an answer and the one piece of memory that it is gathered in:
// its frames are slices of that.
type gathered struct {
	wire.QueryDataResponse
	pool   *bytepool.Pool // where the memory is from, nil if from none
	memory *[]byte
}

// free gives the memory back to its pool.
func (g *gathered) free() {
	if g.memory != nil {
		g.pool.Put(g.memory)
	}
}

// allot returns memory for an answer.
func (g *gathered) allot(size int) []byte {
	if g.pool == nil {
		return make([]byte, size)
	}
	g.memory = g.pool.Get(size)
	return *g.memory
}

// gather returns data in one piece, in which the field at the path begins where
// a value may: columns of a frame that lies there need not be moved to be read.
func gather(data mem.BufferSlice, allot func(size int) []byte, path ...protowire.Number) []byte {
	shift := 0
	if len(data) > 0 {
		shift = -placeOf(data[0].ReadOnlyData(), path) & 7
	}
	b := allot(data.Len() + shift)[shift:]
	data.CopyTo(b)
	return b
}

// placeOf returns where in a message the first field at the path begins, 0 if
// the head does not tell.
func placeOf(head []byte, path []protowire.Number) int {
	at := 0
	for _, wanted := range path {
		for {
			number, kind, tag := protowire.ConsumeTag(head[at:])
			if tag < 0 || kind != protowire.BytesType {
				return 0
			}
			size, length := protowire.ConsumeVarint(head[at+tag:])
			if length < 0 {
				return 0
			}
			at += tag + length
			if number == wanted {
				break
			}
			if size > uint64(len(head)-at) {
				return 0
			}
			at += int(size)
		}
	}
	return at
}

// overLimit tells whether an answer was refused for its length, which gRPC says
// in words only: the plugin, too, may say them, of the request.
func (c *Client) overLimit(err error) error {
	var size, limit int
	st := status.Convert(err)
	if st.Code() != codes.ResourceExhausted || c.maxAnswer == 0 {
		return fromStatus(err)
	}
	if n, _ := fmt.Sscanf(strings.TrimPrefix(st.Message(), tooLarge), " (%d vs. %d)", &size, &limit); n < 2 || limit != c.maxAnswer {
		return fromStatus(err)
	}
	return &Error{
		Message: fmt.Sprintf("stopped before the first byte of %d, because the answer to a request may have %d: ask for less", size, limit),
		Source:  SourcePlugin, Status: http.StatusRequestEntityTooLarge, Err: err,
	}
}

// aliasing is the codec of protobuf, but that requests come encoded, and that
// the frames of an answer are not copied out of the message: see gathered.
type aliasing struct{}

// Name is that of protobuf: it is the same on the wire.
func (aliasing) Name() string { return protocodec.Name }

func (aliasing) Marshal(v any) (mem.BufferSlice, error) {
	if encoded, ok := v.(request); ok {
		return encoded.encoded()
	}
	return encoding.GetCodecV2(protocodec.Name).Marshal(v)
}

func (aliasing) Unmarshal(data mem.BufferSlice, v any) error {
	switch v := v.(type) {
	case *gathered:
		return unmarshalAnswer(gather(data, v.allot, fieldResponses, fieldValue, fieldFrames), &v.QueryDataResponse)
	case *wire.QueryChunkedDataResponse:
		return unmarshalFrames(gather(data, newBytes, fieldFrame), fieldFrame, v, func(frame []byte) { v.Frame = frame })
	}
	return encoding.GetCodecV2(protocodec.Name).Unmarshal(data, v)
}

func newBytes(size int) []byte { return make([]byte, size) }

// Numbers of fields on the wire.
const (
	fieldResponses = 1 // of QueryDataResponse: map entries
	fieldKey       = 1 // of a map entry
	fieldValue     = 2
	fieldFrames    = 1 // of DataResponse
	fieldFrame     = 3 // of QueryChunkedDataResponse
)

// unmarshalAnswer does what proto.Unmarshal does with an answer, but that
// frames alias b.
func unmarshalAnswer(b []byte, into *wire.QueryDataResponse) error {
	into.Responses = map[string]*wire.DataResponse{}
	return eachField(b, func(number protowire.Number, entry, _ []byte) error {
		if number != fieldResponses || entry == nil {
			return nil
		}
		var refID string
		answer := &wire.DataResponse{}
		err := eachField(entry, func(number protowire.Number, value, _ []byte) error {
			switch {
			case number == fieldKey && value != nil:
				if refID = string(value); !utf8.ValidString(refID) {
					return errors.New("a ref id is not valid UTF-8")
				}
			case number == fieldValue && value != nil:
				return unmarshalFrames(value, fieldFrames, answer, func(frame []byte) { answer.Frames = append(answer.Frames, frame) })
			}
			return nil
		})
		into.Responses[refID] = answer
		return err
	})
}

// unmarshalFrames calls set with the frames of a message, which alias b, and
// leaves all but that field to package proto.
func unmarshalFrames(b []byte, field protowire.Number, into proto.Message, set func(frame []byte)) error {
	var rest []byte
	err := eachField(b, func(number protowire.Number, value, all []byte) error {
		if number == field && value != nil {
			set(slices.Clip(value))
		} else {
			rest = append(rest, all...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return proto.UnmarshalOptions{Merge: true}.Unmarshal(rest, into)
}

// eachField calls f with the fields of a message: with a field's number, its
// value if it is one of bytes (else nil), and all of it.
func eachField(b []byte, f func(number protowire.Number, value, field []byte) error) error {
	for len(b) > 0 {
		number, kind, tag := protowire.ConsumeTag(b)
		if tag < 0 {
			return protowire.ParseError(tag)
		}
		if number > protowire.MaxValidNumber {
			return fmt.Errorf("field number %d", number)
		}
		size := protowire.ConsumeFieldValue(number, kind, b[tag:])
		if size < 0 {
			return protowire.ParseError(size)
		}
		var value []byte
		if kind == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(b[tag:])
		}
		if err := f(number, value, b[:tag+size]); err != nil {
			return err
		}
		b = b[tag+size:]
	}
	return nil
}
