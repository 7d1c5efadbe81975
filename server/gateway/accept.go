package gateway

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framecsv"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/server/parquet"
)

// format is a way to write the answer to queries.
type format struct {
	name        string // in a link
	mediaType   string
	contentType string
	// begin begins to write frames; it is told those that are known by then, each
	// of which comes in batches. Nil means Grafana's JSON, which has whole columns,
	// and room for errors.
	begin func(out *answer, known []frame.Frames) (writer, error)
}

// writer writes frames in batches. It is done with a batch when write returns.
type writer interface {
	// write writes a batch of the frame of that number.
	write(number int, batch *frame.Frame) error
	end() error
}

// formats has the default first.
var formats = []format{
	{"json", "application/json", "application/json", nil},
	{"arrow", "application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream", beginArrow},
	{"csv", "text/csv", "text/csv; charset=utf-8", beginCSV},
	{"ndjson", "application/x-ndjson", "application/x-ndjson", beginNDJSON},
	{"parquet", "application/vnd.apache.parquet", "application/vnd.apache.parquet", beginParquet},
}

// formatOf chooses the format of an answer: the one that a link names, or the
// one that the client accepts best. Of those that it accepts equally well, that
// is the one it says first.
func formatOf(r *http.Request, name string) (format, error) {
	if name != "" {
		if i := slices.IndexFunc(formats, func(f format) bool { return f.name == name }); i >= 0 {
			return formats[i], nil
		}
		return format{}, badRequest("bad request data: the format is json, arrow, csv, ndjson or parquet, not %.40q", name)
	}
	accepted := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accepted) == "" {
		return formats[0], nil
	}
	best, bestQuality := -1, 0.0
	for item := range strings.SplitSeq(accepted, ",") {
		mediaType, parameters, _ := mime.ParseMediaType(item)
		quality := 1.0
		if q, ok := parameters["q"]; ok {
			quality, _ = strconv.ParseFloat(q, 64) // what is none is 0
		}
		i := slices.IndexFunc(formats, func(f format) bool { return matches(mediaType, f.mediaType) })
		if i >= 0 && quality > bestQuality {
			best, bestQuality = i, quality
		}
	}
	if best < 0 {
		return format{}, notAcceptable(accepted)
	}
	return formats[best], nil
}

// matches tells whether a media type, or a range such as text/*, is what we
// have.
func matches(accepted, have string) bool {
	kind, all := strings.CutSuffix(accepted, "/*")
	return accepted == have || accepted == "*/*" || all && strings.HasPrefix(have, kind+"/")
}

func notAcceptable(accepted string) *failure {
	var types []string
	for _, f := range formats {
		types = append(types, f.mediaType)
	}
	return &failure{
		status:  http.StatusNotAcceptable,
		message: fmt.Sprintf("Not acceptable: answers are %s, and none of them is %.200q", strings.Join(types, ", "), accepted),
	}
}

// write writes frames that are all there.
func (f format) write(out *answer, frames []frame.Frames) error {
	w, err := f.begin(out, frames)
	if err != nil {
		return err
	}
	for number, batches := range frames {
		for _, batch := range batches {
			if err := w.write(number, batch); err != nil {
				return f.tell(out, err)
			}
		}
	}
	return w.end()
}

// tell has NDJSON say in its last line what went wrong after rows were sent.
func (f format) tell(out *answer, err error) error {
	if f.name == "ndjson" && out.begun && out.gone == nil {
		out.block = append(appendString(append(out.block, `{"error":`...), err.Error()), "}\n"...)
		return nil
	}
	return err
}

// arrowWriter writes a stream for each frame, one behind the other: a stream has
// one schema. Frames that take turns, or change their schema, are in several. An
// answer without frames is a stream without fields.
type arrowWriter struct {
	out    *answer
	stream *frame.StreamWriter // nil before the first batch
	number int
}

func beginArrow(out *answer, _ []frame.Frames) (writer, error) { return &arrowWriter{out: out}, nil }

func (w *arrowWriter) write(number int, batch *frame.Frame) error {
	if w.stream != nil && number == w.number {
		err := w.stream.Write(batch)
		if err == nil || w.out.gone != nil {
			return err
		}
	}
	if err := w.next(); err != nil {
		return err
	}
	w.number = number
	return w.stream.Write(batch)
}

// next ends a stream, if there is one, and makes another.
func (w *arrowWriter) next() error {
	if w.stream != nil {
		if err := w.stream.Close(); err != nil {
			return err
		}
	}
	w.stream = frame.NewStreamWriter(w.out)
	return nil
}

func (w *arrowWriter) end() error {
	if w.stream == nil {
		if err := w.write(0, frame.New("")); err != nil {
			return err
		}
	}
	return w.stream.Close()
}

// The other formats have rows of any frame behind those of any other.

type csvWriter struct{ *framecsv.Writer }

func beginCSV(out *answer, known []frame.Frames) (writer, error) {
	return csvWriter{framecsv.NewWriter(out, slices.Concat(known...)...)}, nil
}

func (w csvWriter) write(_ int, batch *frame.Frame) error { return w.Write(batch) }
func (w csvWriter) end() error                            { return nil }

type ndjsonWriter struct{ out *answer }

func beginNDJSON(out *answer, _ []frame.Frames) (writer, error) { return ndjsonWriter{out}, nil }

func (w ndjsonWriter) write(_ int, batch *frame.Frame) error {
	return framejson.WriteRows(w.out, batch)
}
func (w ndjsonWriter) end() error { return nil }

type parquetWriter struct{ *parquet.Writer }

func beginParquet(out *answer, known []frame.Frames) (writer, error) {
	w, err := parquet.NewWriter(out, slices.Concat(known...))
	return parquetWriter{w}, err
}

func (w parquetWriter) write(_ int, batch *frame.Frame) error { return w.Write(batch) }
func (w parquetWriter) end() error                            { return w.Close() }
