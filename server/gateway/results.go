package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/plugin"
)

// result is the answer to one query, ready to be written.
type result struct {
	refID    string
	failed   string // the error's message
	source   plugin.ErrorSource
	status   int
	answered bool // the plugin itself answered: there is a list of frames, however short
	frames   []encoded
}

// encoded is one frame on its way from the plugin's encoding into the answer:
// views of Arrow bytes, one for each record batch, or JSON in two pieces with a
// ref id put in between.
type encoded struct {
	arrow             frame.Frames
	head, added, tail []byte
}

// result checks a plugin's answer to one query. Frames that cannot be read make
// it an error.
func (t target) result(refID string, answer plugin.Response) result {
	r := result{refID: refID, failed: t.redact(answer.Error), source: answer.ErrorSource, status: answer.Status, answered: true}
	for i, raw := range answer.Frames {
		e, err := decode(raw, answer.Format, refID)
		if err != nil {
			return result{
				refID:    refID,
				failed:   fmt.Sprintf("%s sent a frame that cannot be read: frame %d: %v", t, i, err),
				source:   plugin.SourcePlugin,
				status:   http.StatusInternalServerError,
				answered: true,
			}
		}
		r.frames = append(r.frames, e)
	}
	return r
}

// decode goes by the format of the answer: plugins with older SDKs answer in
// Arrow whatever they are asked for.
func decode(raw []byte, format plugin.Format, refID string) (encoded, error) {
	if format == plugin.FormatJSON {
		return decodeJSON(raw, refID)
	}
	batches, err := frame.UnmarshalBatches(raw)
	if err != nil {
		return encoded{}, err
	}
	if batches[0].RefID == "" {
		batches[0].RefID = refID
	}
	return encoded{arrow: batches}, nil
}

// decodeJSON leaves the frame as it is, unless it lacks its ref id.
func decodeJSON(raw []byte, refID string) (encoded, error) {
	if err := checkObject(raw); err != nil {
		return encoded{}, fmt.Errorf("read JSON: %w", err)
	}
	var schema []byte
	for key, value := range members(raw) {
		if key == "schema" {
			schema = value
		}
	}
	if len(schema) == 0 || schema[0] != '{' {
		return encoded{}, fmt.Errorf("read JSON: no schema")
	}
	empty := true
	for key := range members(schema) {
		if key == "refId" {
			return encoded{head: raw}, nil
		}
		empty = false
	}
	added := appendString([]byte(`"refId":`), refID)
	if !empty {
		added = append(added, ',')
	}
	at := cap(raw) - cap(schema) + 1 // schema is a slice of raw: after its brace
	return encoded{head: raw[:at], added: added, tail: raw[at:]}, nil
}

// writeJSONResults writes results as Grafana does.
func writeJSONResults(out *answer, results []result) error {
	out.add(`{"results":{`)
	for i, r := range results {
		if i > 0 {
			out.add(",")
		}
		out.block = r.appendHead(out.block)
		for j, f := range r.frames {
			if j > 0 {
				out.add(",")
			}
			if err := f.write(out); err != nil {
				return fmt.Errorf("write frame %d of query %q: %w", j, r.refID, err)
			}
		}
		out.block = r.appendTail(out.block)
	}
	out.add("}}\n")
	return nil
}

func statusOf(results []result) int {
	if slices.ContainsFunc(results, func(r result) bool { return r.failed != "" }) {
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// appendHead appends the result up to its frames.
func (r result) appendHead(b []byte) []byte {
	b = append(appendString(b, r.refID), `:{`...)
	if r.failed != "" {
		b = appendString(append(b, `"error":`...), r.failed)
		b = appendString(append(b, `,"errorSource":`...), string(r.source))
		b = append(b, ',')
	}
	b = strconv.AppendInt(append(b, `"status":`...), int64(r.status), 10)
	if r.answered {
		b = append(b, `,"frames":[`...)
	}
	return b
}

func (r result) appendTail(b []byte) []byte {
	if r.answered {
		b = append(b, ']')
	}
	return append(b, '}')
}

// batches returns the frame itself, in one piece or more.
func (e encoded) batches() (frame.Frames, error) {
	if e.arrow != nil {
		return e.arrow, nil
	}
	f, err := framejson.Unmarshal(slices.Concat(e.head, e.added, e.tail))
	return frame.Frames{f}, err
}

func (e encoded) write(out *answer) error {
	if e.arrow != nil {
		return framejson.WriteBatches(out, e.arrow, framejson.IncludeAll)
	}
	for _, part := range [][]byte{e.head, e.added, e.tail} {
		if _, err := out.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// appendString appends s as JSON.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, _ := json.Marshal(s) // a string always marshals
			return append(b, text...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
