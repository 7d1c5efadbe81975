package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/plugin"
)

// chunk returns rows of a frame as a plugin sends them.
func chunk(t testing.TB, id string, f *frame.Frame) plugin.Chunk {
	raw, err := f.MarshalArrow()
	if err != nil {
		t.Fatal(err)
	}
	return plugin.Chunk{RefID: "A", FrameID: id, Frame: raw, Status: 200}
}

func numbers(name string, values ...float64) *frame.Frame {
	return frame.New(name, frame.NewField(name, nil, values))
}

// sending makes the host answer with chunks, and then with an error.
func (a *api) sending(err error, chunks ...plugin.Chunk) {
	a.host.chunks = func(send func(plugin.Chunk) error) error {
		for _, c := range chunks {
			if err := send(c); err != nil {
				return err
			}
		}
		return err
	}
}

// repeated is a chunk so often that it is more than what is held.
func repeated(c plugin.Chunk) []plugin.Chunk {
	var all []plugin.Chunk
	for size := 0; size <= 2*gatherBytes; size += len(c.Frame) {
		all = append(all, c)
	}
	return all
}

// TestChunksSmall: an answer that is held is as any other, whatever the order
// and the encoding of its chunks.
func TestChunksSmall(t *testing.T) {
	a := newAPI(t)
	head, err := framejson.Append(nil, numbers("x", 1), framejson.IncludeAll)
	if err != nil {
		t.Fatal(err)
	}
	more, err := framejson.Append(nil, numbers("x", 3), framejson.IncludeDataOnly)
	if err != nil {
		t.Fatal(err)
	}
	a.sending(nil,
		plugin.Chunk{RefID: "A", FrameID: "1", Frame: head, Format: plugin.FormatJSON},
		chunk(t, "2", numbers("y", 2)),
		plugin.Chunk{RefID: "A", FrameID: "1", Frame: more, Format: plugin.FormatJSON},
		plugin.Chunk{RefID: "A"},
	)
	a.want(200, "x,y\r\n1,\r\n3,\r\n,2", "POST", "/api/ds/query", askOne, "Accept", "text/csv")
	a.want(200, "{\"x\":1}\n{\"x\":3}\n{\"y\":2}", "POST", "/api/ds/query", askOne, "Accept", "application/x-ndjson")
	if got := a.streams(t); strings.Join(got, " ") != "x:1:3 y:2" {
		t.Errorf("streams %q", got)
	}
	a.sending(nil)
	a.want(200, "", "POST", "/api/ds/query", askOne, "Accept", "text/csv")
}

// streams asks for Arrow and returns what each stream holds.
func (a *api) streams(t *testing.T) (all []string) {
	t.Helper()
	w := a.call("POST", "/api/ds/query", askOne, "Accept", "application/vnd.apache.arrow.stream")
	for body := bytes.NewReader(w.Body.Bytes()); body.Len() > 0; {
		s, err := frame.NewStreamReader(body)
		if err != nil {
			t.Fatal(err)
		}
		if s.Schema().RefID != "A" {
			t.Errorf("ref id %q", s.Schema().RefID)
		}
		text := s.Schema().Name
		for f, err := s.Next(); err != io.EOF; f, err = s.Next() {
			if err != nil {
				t.Fatal(err)
			}
			text += fmt.Sprint(":", frame.Slice[float64](f.Fields[0])[0])
		}
		all = append(all, text)
	}
	return all
}

// TestChunksArrow: frames that take turns behind what is held are in a stream
// each time.
func TestChunksArrow(t *testing.T) {
	a := newAPI(t)
	large := chunk(t, "1", numbers("x", make([]float64, gatherBytes/8)...))
	a.sending(nil, large, chunk(t, "1", numbers("x", 1)), chunk(t, "2", numbers("y", 2)), chunk(t, "1", numbers("x", 3)), chunk(t, "1", numbers("z", 4)))
	if got := a.streams(t); strings.Join(got, " ") != "x:0:1 y:2 x:3 z:4" {
		t.Errorf("streams %q", got)
	}
}

// TestChunksAsTheyArrive: what a client reads is written before the plugin has
// sent all, and a client that has gone away ends the plugin's work.
func TestChunksAsTheyArrive(t *testing.T) {
	a := newAPI(t)
	one := chunk(t, "1", numbers("x", make([]float64, 10_000)...))
	gone := errors.New("gone")
	w := &pipe{ResponseRecorder: httptest.NewRecorder(), room: 10 * blockSize, full: gone}
	a.host.chunks = func(send func(plugin.Chunk) error) error {
		for {
			if err := send(one); err != nil {
				return err
			}
		}
	}
	r := httptest.NewRequest("POST", "/api/ds/query", strings.NewReader(askOne))
	r.Header.Set("Authorization", "Bearer good")
	r.Header.Set("Accept", "text/csv")
	a.ServeHTTP(w, r)
	if text := w.Body.String(); w.Code != 200 || !strings.HasPrefix(text, "x\r\n0\r\n0\r\n") || len(text) < 9*blockSize {
		t.Errorf("%d, %d bytes: %.20q", w.Code, len(text), text)
	}
}

// pipe is a client that goes away after some bytes.
type pipe struct {
	*httptest.ResponseRecorder
	room int
	full error
}

func (p *pipe) Write(b []byte) (int, error) {
	if p.room -= len(b); p.room < 0 {
		return 0, p.full
	}
	return p.ResponseRecorder.Write(b)
}

// TestChunksFail: an error is the answer until the first row is sent; behind
// that the answer breaks off, and NDJSON says why.
func TestChunksFail(t *testing.T) {
	const csv, ndjson = "text/csv", "application/x-ndjson"
	stopped := &plugin.Error{Message: "stopped at 7 rows", Status: 413, Source: plugin.SourceDownstream}
	few := []plugin.Chunk{chunk(t, "1", numbers("x", 1))}
	many := repeated(chunk(t, "1", numbers("x", make([]float64, 1000)...)))
	bad := plugin.Chunk{RefID: "A", Error: "no such table " + secret, ErrorSource: plugin.SourceDownstream, Status: 500}
	for name, test := range map[string]struct {
		accept string
		chunks []plugin.Chunk
		err    error
		status int // 0: it breaks off
		part   string
	}{
		"a limit before":       {csv, few, stopped, 413, `stopped at 7 rows","messageId":"plugin.downstreamError"`},
		"a failure before":     {csv, append(few, bad), nil, 400, `"query \"A\" failed: no such table [secret]","messageId":"query.failed"`},
		"not there":            {csv, nil, plugin.ErrUnavailable, 503, "Plugin unavailable: "},
		"a limit behind":       {csv, many, stopped, 0, ""},
		"a failure behind":     {csv, append(many, bad), nil, 0, ""},
		"NDJSON, before":       {ndjson, few, stopped, 413, "stopped at 7 rows"},
		"NDJSON, behind":       {ndjson, many, stopped, 200, "{\"x\":0}\n" + `{"error":"An error occurred within the plugin: data source \"one\" (plugin p-datasource): stopped at 7 rows"}` + "\n"},
		"a new column, before": {csv, append(few, chunk(t, "2", numbers("y", 2))), nil, 200, "x,y\r\n1,\r\n,2\r\n"},
		"a new column, behind": {csv, append(many, chunk(t, "2", numbers("y", 2))), nil, 0, ""},
		"nonsense":             {csv, []plugin.Chunk{{RefID: "A", Frame: []byte("nonsense")}}, nil, 400, "sent a chunk that cannot be read: "},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			a.sending(test.err, test.chunks...)
			broke := false
			func() {
				defer func() {
					if p := recover(); p != nil {
						broke = p == http.ErrAbortHandler
					}
				}()
				w := a.call("POST", "/api/ds/query", askOne, "Accept", test.accept)
				if text := w.Body.String(); w.Code != test.status || !strings.Contains(text, test.part) {
					t.Errorf("%d …%s, want %d …%s…", w.Code, text[max(0, len(text)-300):], test.status, test.part)
				}
			}()
			if broke != (test.status == 0) {
				t.Errorf("broken off: %t", broke)
			}
		})
	}
}

// TestChunksOnlyWhereTheyFit: JSON has whole columns, and answers to several
// queries have an order.
func TestChunksOnlyWhereTheyFit(t *testing.T) {
	a := newAPI(t)
	answer, _ := answersOf(t, 1)
	a.host.query = func(req *plugin.QueryRequest) (*plugin.QueryResponse, error) { return answer(req) }
	a.host.chunks = func(func(plugin.Chunk) error) error { return errors.New("asked for chunks") }
	if w := a.call("POST", "/api/ds/query", askOne); w.Code != 200 {
		t.Errorf("JSON: %d %s", w.Code, w.Body)
	}
	for _, body := range []string{askTwo, `{"queries":[{"refId":"A","datasource":{"uid":"one"}},{"refId":"B","datasource":{"uid":"one"}}]}`} {
		if w := a.call("POST", "/api/ds/query", body, "Accept", "text/csv"); w.Code != 200 || w.Body.Len() == 0 {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}
