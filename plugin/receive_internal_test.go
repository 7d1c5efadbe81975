package plugin

import (
	"strings"
	"testing"
	"unsafe"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/plugboard/plugboard/internal/bytepool"
	"github.com/plugboard/plugboard/wire"
)

// FuzzAliasingChunk: what the codec reads of a chunk is what package proto reads.
func FuzzAliasingChunk(f *testing.F) {
	seed, err := proto.Marshal(&wire.QueryChunkedDataResponse{
		RefId: "A", FrameId: "f", Frame: []byte("frame"), Error: "failed", ErrorSource: "downstream", Status: 502, Format: wire.DataFrameFormat_JSON,
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte("\x1a\x01a\x1a\x01b"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var want, got wire.QueryChunkedDataResponse
		wantErr := proto.Unmarshal(b, &want)
		half := len(b) / 2
		gotErr := aliasing{}.Unmarshal(mem.BufferSlice{mem.SliceBuffer(b[:half]), mem.SliceBuffer(b[half:])}, &got)
		if (wantErr == nil) != (gotErr == nil) {
			t.Fatalf("proto says %v, we say %v", wantErr, gotErr)
		}
		if wantErr == nil && !proto.Equal(&want, &got) {
			t.Errorf("proto reads %v, we read %v", &want, &got)
		}
	})
}

// FuzzAliasing: what the codec reads is what package proto reads.
func FuzzAliasing(f *testing.F) {
	seed, err := proto.Marshal(&wire.QueryDataResponse{Responses: map[string]*wire.DataResponse{
		"A": {Frames: [][]byte{[]byte("frame"), {}, []byte("another")}, Status: 200, JsonMeta: []byte("meta")},
		"B": {Error: "failed", ErrorSource: "downstream", Status: 502, Format: wire.DataFrameFormat_JSON},
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte("\x0a\x05\x0a\x01A\x12\x00\x0a\x05\x0a\x01A\x12\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var want wire.QueryDataResponse
		var got gathered
		wantErr := proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(b, &want)
		half := len(b) / 2
		gotErr := aliasing{}.Unmarshal(mem.BufferSlice{mem.SliceBuffer(b[:half]), mem.SliceBuffer(b[half:])}, &got)
		if (wantErr == nil) != (gotErr == nil) {
			t.Fatalf("proto says %v, we say %v", wantErr, gotErr)
		}
		for _, answer := range got.Responses {
			answer.ProtoReflect().SetUnknown(nil)
		}
		if wantErr == nil && !proto.Equal(&want, &got.QueryDataResponse) {
			t.Errorf("proto reads %v, we read %v", &want, &got.QueryDataResponse)
		}
	})
}

// TestAliasingAllocates holds the codec to one allocation for all frames.
func TestAliasingAllocates(t *testing.T) {
	message := &wire.QueryDataResponse{Responses: map[string]*wire.DataResponse{"A": {Frames: [][]byte{make([]byte, 1<<20)}, Status: 200}}}
	b, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	data := mem.BufferSlice{mem.SliceBuffer(b)}
	result := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			var got gathered
			if err := (aliasing{}).Unmarshal(data, &got); err != nil {
				b.Fatal(err)
			}
		}
	})
	if got := result.AllocedBytesPerOp(); got > 1<<20+16<<10 {
		t.Errorf("%d bytes allocated for an answer of 1 MiB", got)
	}
	if got := result.AllocsPerOp(); got > 20 {
		t.Errorf("%d allocations", got)
	}
}

// TestGather: the first frame begins where its numbers can be read in place,
// whatever is before it; and memory of a pool is used again.
func TestGather(t *testing.T) {
	var pool bytepool.Pool
	for size := range 20 {
		b, err := proto.Marshal(&wire.QueryDataResponse{Responses: map[string]*wire.DataResponse{
			strings.Repeat("A", size): {Frames: [][]byte{[]byte("frame one"), []byte("frame two")}, Status: 200},
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []*gathered{{}, {pool: &pool}} {
			if err := (aliasing{}).Unmarshal(mem.BufferSlice{mem.SliceBuffer(b)}, got); err != nil {
				t.Fatal(err)
			}
			for _, r := range got.Responses {
				if string(r.Frames[0]) != "frame one" || string(r.Frames[1]) != "frame two" {
					t.Errorf("the frames are %q", r.Frames)
				}
				if at := uintptr(unsafe.Pointer(unsafe.SliceData(r.Frames[0]))); at%8 != 0 {
					t.Errorf("a frame lies at %x", at)
				}
			}
			got.free()
		}
	}
}
