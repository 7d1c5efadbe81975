package frame_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/frametest"
)

// stream returns the frames as one Arrow stream.
func stream(t testing.TB, frames ...*frame.Frame) []byte {
	t.Helper()
	var b bytes.Buffer
	w := frame.NewStreamWriter(&b)
	for _, f := range frames {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// parts cuts a frame at random rows.
func parts(rng *rand.Rand, f *frame.Frame) (parts []*frame.Frame) {
	for from := 0; from < f.Rows() || len(parts) == 0; {
		to := from + rng.IntN(f.Rows()-from+1)
		parts = append(parts, f.SliceRows(from, to))
		from = to
	}
	return parts
}

// gather reads a stream into one frame.
func gather(t *testing.T, b io.Reader) *frame.Frame {
	t.Helper()
	r, err := frame.NewStreamReader(b)
	if err != nil {
		t.Fatal(err)
	}
	all := r.Schema().SliceRows(0, 0)
	for {
		f, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err == nil {
			err = all.AppendRows(f)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestStream(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 20))
		f := frametest.Random(rng, rng.IntN(70))
		b := stream(t, parts(rng, f)...)
		frametest.Equal(t, gather(t, bytes.NewReader(b)), f)
		frametest.Equal(t, gather(t, iotest.OneByteReader(bytes.NewReader(b))), f)
		frametest.Equal(t, gather(t, bytes.NewReader(b[:len(b)-8])), f) // a stream may just end
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestStreamAndArrowGo checks that arrow-go reads our streams, and we its.
func TestStreamAndArrowGo(t *testing.T) {
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 21))
		f := frametest.Random(rng, rng.IntN(70))
		r, err := ipc.NewReader(bytes.NewReader(stream(t, parts(rng, f)...)))
		if err != nil {
			t.Fatal(err)
		}
		var batches []arrow.RecordBatch
		var again bytes.Buffer
		w := ipc.NewWriter(&again, ipc.WithSchema(r.Schema()))
		for r.Next() {
			batch := r.RecordBatch()
			batch.Retain()
			batches = append(batches, batch)
			if err := w.Write(batch); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(r.Err(), w.Close()); err != nil {
			t.Fatal(err)
		}
		frametest.Equal(t, unmarshal(t, file(t, r.Schema(), batches...)), f)
		frametest.Equal(t, gather(t, &again), f)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestStreamWriterRefuses(t *testing.T) {
	first := frame.New("f", frame.NewField("a", frame.Labels{"k": "v"}, []int8{1}))
	for want, f := range map[string]*frame.Frame{
		"2 fields in a stream of 1":            frame.New("f", first.Fields[0], first.Fields[0]),
		`field 0 is "b", in the stream it is`:  frame.New("f", frame.NewField("b", frame.Labels{"k": "v"}, []int8{1})),
		`field "a" holds int16 (nullable: fal`: frame.New("f", frame.NewField("a", frame.Labels{"k": "v"}, []int16{1})),
		`field "a" holds int8 (nullable: true`: frame.New("f", frame.NewFieldOf("a", frame.Labels{"k": "v"}, frame.Int8, true)),
		`field "a" has labels map[]`:           frame.New("f", frame.NewField("a", nil, []int8{1})),
		"field 0 is nil":                       frame.New("f", nil),
	} {
		var b bytes.Buffer
		w := frame.NewStreamWriter(&b)
		if err := w.Close(); err == nil {
			t.Error("a stream without schema was closed")
		}
		if err := w.Write(first); err != nil {
			t.Fatal(err)
		}
		if err := w.Write(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if err := errors.Join(w.Write(first), w.Close()); err != nil {
			t.Error(err)
		}
		if got := gather(t, &b); got.Rows() != 2 {
			t.Errorf("%d rows", got.Rows())
		}
	}
}

// TestStreamReaderBelievesNothing claims gigabytes that do not come.
func TestStreamReaderBelievesNothing(t *testing.T) {
	b := stream(t, frame.New("f", frame.NewField("a", nil, []int64{1, 2, 3})))
	for i := range b {
		for _, c := range []byte{0x00, 0x7f, 0xff} {
			changed := bytes.Clone(b)
			changed[i] = c
			r, err := frame.NewStreamReader(bytes.NewReader(changed))
			for err == nil {
				_, err = r.Next()
			}
		}
	}
	for n := range b[:len(b)-8] {
		r, err := frame.NewStreamReader(bytes.NewReader(b[:n]))
		for err == nil {
			_, err = r.Next()
		}
		if err == io.EOF && n < 100 {
			t.Errorf("%d bytes end well", n)
		}
	}
	huge := binary.LittleEndian.AppendUint32([]byte{0xff, 0xff, 0xff, 0xff}, 1<<31)
	if _, err := frame.NewStreamReader(bytes.NewReader(huge)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if _, err := frame.NewStreamReader(strings.NewReader("ARROW1\x00\x00")); err == nil || !strings.Contains(err.Error(), "not an Arrow stream") {
		t.Error(err)
	}
}

func FuzzStreamReader(f *testing.F) {
	for seed, rows := range []int{0, 1, 9} {
		rng := rand.New(rand.NewPCG(uint64(seed), 22))
		f.Add(stream(f, parts(rng, frametest.Random(rng, rows))...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := allocated(func() { _ = drain(b) }); n > uint64(500*len(b)+1<<20) {
			t.Errorf("%d bytes allocated to read %d", n, len(b))
		}
		r, err := frame.NewStreamReader(bytes.NewReader(b))
		if err != nil {
			return
		}
		for {
			got, err := r.Next()
			if err != nil {
				return
			}
			text := frametest.Text(got)
			if again := unmarshal(t, marshal(t, got)); frametest.Text(again) != text {
				t.Errorf("%s\nbecame\n%s", text, frametest.Text(again))
			}
		}
	})
}

// drain reads a stream to its end.
func drain(b []byte) error {
	r, err := frame.NewStreamReader(bytes.NewReader(b))
	for err == nil {
		_, err = r.Next()
	}
	return err
}

func TestSliceRows(t *testing.T) {
	f := frametest.Random(rand.New(rand.NewPCG(1, 23)), 40)
	want := frametest.Text(f)
	for from := range 41 {
		for to := from; to <= 40; to++ {
			part := f.SliceRows(from, to)
			frametest.Equal(t, unmarshal(t, marshal(t, part)), part)
			for i, field := range part.Fields {
				for row := range field.Len() {
					if got, want := fmt.Sprint(field.At(row)), fmt.Sprint(f.Fields[i].At(from+row)); got != want {
						t.Fatalf("rows %d to %d: row %d of %v is %s, want %s", from, to, row, field.Type(), got, want)
					}
				}
			}
			if to == 40 { // the frame must not notice
				if err := part.AppendRows(f.SliceRows(0, 3)); err != nil || part.Rows() != to-from+3 {
					t.Fatal(part.Rows(), err)
				}
			}
		}
	}
	if got := frametest.Text(f); got != want {
		t.Error("slices changed the frame")
	}
}

// TestStreamAllocates holds a StreamWriter to one allocation a batch.
func TestStreamAllocates(t *testing.T) {
	f := frame.New("f", frame.NewField("v", nil, make([]float64, 100_000)), frame.NewField("s", nil, make([]string, 100_000)))
	w := frame.NewStreamWriter(io.Discard)
	if got := testing.AllocsPerRun(10, func() {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}); got > 2 {
		t.Errorf("%v allocations", got)
	}
}

// Send rows as they come, the schema once, and read them as they come.
func ExampleStreamWriter() {
	in, out := io.Pipe()
	go func() {
		w := frame.NewStreamWriter(out)
		for _, values := range [][]float64{{1, 2}, {3}} {
			_ = w.Write(frame.New("load", frame.NewField("value", frame.Labels{"host": "a"}, values)))
		}
		_ = w.Close()
		_ = out.Close()
	}()

	r, err := frame.NewStreamReader(in)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Schema().Name, r.Schema().Fields[0].Labels)
	for {
		f, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(frame.Slice[float64](f.Fields[0]))
	}
	// Output:
	// load map[host:a]
	// [1 2]
	// [3]
}

// Write a large frame in pieces.
func ExampleFrame_SliceRows() {
	f := frame.New("numbers", frame.NewField("n", nil, []int64{1, 2, 3, 4, 5}))
	for from := 0; from < f.Rows(); from += 2 {
		part := f.SliceRows(from, min(from+2, f.Rows()))
		fmt.Fprintln(os.Stdout, frame.Slice[int64](part.Fields[0]))
	}
	// Output:
	// [1 2]
	// [3 4]
	// [5]
}
