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
	// write writes frames, each of which comes in batches; nil means Grafana's
	// JSON, which has room for errors.
	write func(out *answer, frames []frame.Frames) error
}

// formats has the default first.
var formats = []format{
	{"json", "application/json", "application/json", nil},
	{"arrow", "application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream", writeArrow},
	{"csv", "text/csv", "text/csv; charset=utf-8", writeCSV},
	{"ndjson", "application/x-ndjson", "application/x-ndjson", writeNDJSON},
	{"parquet", "application/vnd.apache.parquet", "application/vnd.apache.parquet", writeParquet},
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

// writeArrow writes a stream for each frame, one behind the other: a stream has
// one schema. An answer without frames is a stream without fields.
func writeArrow(out *answer, frames []frame.Frames) error {
	if len(frames) == 0 {
		frames = []frame.Frames{{frame.New("")}}
	}
	for _, batches := range frames {
		stream := frame.NewStreamWriter(out)
		for _, batch := range batches {
			if err := stream.Write(batch); err != nil {
				return err
			}
		}
		if err := stream.Close(); err != nil {
			return err
		}
	}
	return nil
}

// The other formats have rows of any frame behind those of any other, so that
// batches are frames to them.

func writeCSV(out *answer, frames []frame.Frames) error {
	return framecsv.Write(out, slices.Concat(frames...)...)
}

// writeNDJSON makes an error that comes after rows were sent the last line.
func writeNDJSON(out *answer, frames []frame.Frames) error {
	err := framejson.WriteRows(out, slices.Concat(frames...)...)
	if err != nil && out.begun && out.gone == nil {
		out.block = append(appendString(append(out.block, `{"error":`...), err.Error()), "}\n"...)
		return nil
	}
	return err
}

func writeParquet(out *answer, frames []frame.Frames) error {
	return parquet.Write(out, slices.Concat(frames...))
}
