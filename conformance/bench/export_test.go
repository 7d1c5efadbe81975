//go:build unix

package bench

import (
	"bytes"
	"io"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/csv"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framecsv"
	"github.com/plugboard/plugboard/frame/framejson"
	ours "github.com/plugboard/plugboard/server/parquet"
)

// export measures a format that the official SDK does not write, from an Arrow
// file, beside what arrow-go makes of the same file. (The outputs differ: in the
// spelling of times, and in what is quoted.)
func export(b *testing.B, ours func(io.Writer, frame.Frames) error, theirs func(io.Writer, arrow.RecordBatch) error) {
	for _, s := range shapes {
		file, err := s.frame().MarshalArrow()
		if err != nil {
			b.Fatal(err)
		}
		b.Run(s.String()+"/ours", func(b *testing.B) {
			reportCPU(b, func() {
				for b.Loop() {
					batches, err := frame.UnmarshalBatches(file)
					if err == nil {
						err = ours(io.Discard, batches)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		})
		b.Run(s.String()+"/arrow-go", func(b *testing.B) {
			reportCPU(b, func() {
				for b.Loop() {
					r, err := ipc.NewFileReader(bytes.NewReader(file))
					if err != nil {
						b.Fatal(err)
					}
					batch, err := r.RecordBatch(0)
					if err == nil {
						err = theirs(io.Discard, batch)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func BenchmarkArrowToCSV(b *testing.B) {
	export(b, func(w io.Writer, batches frame.Frames) error {
		return framecsv.Write(w, batches...)
	}, func(w io.Writer, batch arrow.RecordBatch) error {
		out := csv.NewWriter(w, batch.Schema(), csv.WithHeader(true))
		if err := out.Write(batch); err != nil {
			return err
		}
		return out.Flush()
	})
}

func BenchmarkArrowToNDJSON(b *testing.B) {
	export(b, func(w io.Writer, batches frame.Frames) error {
		return framejson.WriteRows(w, batches...)
	}, func(w io.Writer, batch arrow.RecordBatch) error {
		return array.RecordToJSON(batch, w)
	})
}

func BenchmarkArrowToParquet(b *testing.B) {
	export(b, func(w io.Writer, batches frame.Frames) error {
		out, err := ours.NewWriter(w, batches)
		for i := 0; err == nil && i < len(batches); i++ {
			err = out.Write(batches[i])
		}
		if err != nil {
			return err
		}
		return out.Close()
	}, func(w io.Writer, batch arrow.RecordBatch) error {
		out, err := pqarrow.NewFileWriter(batch.Schema(), w, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy)), pqarrow.DefaultWriterProps())
		if err != nil {
			return err
		}
		if err := out.Write(batch); err != nil {
			return err
		}
		return out.Close()
	})
}
