package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/datasource"
)

func TestParseChannel(t *testing.T) {
	for text, want := range map[string]channel{
		"ds/one/tick":                      {source: datasource.ByUID("one"), path: "tick"},
		"ds/one//a/../%2F/b64_-=/":         {source: datasource.ByUID("one"), path: "/a/../%2F/b64_-=/"},
		"plugin/an-app/a b":                {pluginID: "an-app", path: "a b"},
		"ds/one/" + strings.Repeat("x", 9): {source: datasource.ByUID("one"), path: "xxxxxxxxx"},
	} {
		if got, err := parseChannel(text); err != nil || got != want {
			t.Errorf("%q is read as %+v (%v), want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "ds", "ds/one", "ds/one/", "ds//tick", "stream/a/b", "1/ds/one/tick", "ds/one/\xff", "ds/one/" + strings.Repeat("x", 154)} {
		if got, err := parseChannel(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

// packets is a subscription that a test writes to.
type packets struct {
	initial []byte
	next    chan []byte
	end     error
	closed  bool
}

func (p *packets) Initial() json.RawMessage { return p.initial }
func (p *packets) Close()                   { p.closed = true }

func (p *packets) Next(ctx context.Context) ([]byte, error) {
	select {
	case packet, more := <-p.next:
		if !more {
			return nil, p.end
		}
		return packet, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		var got *plugin.StreamRequest
		p := &packets{initial: []byte(`{"first":true}`), next: make(chan []byte), end: io.EOF}
		a.host.subscribe = func(req *plugin.StreamRequest, renew func(context.Context) (plugin.Context, error)) (subscription, error) {
			got = req
			d := a.store.sources[1]
			d.URL = "http://changed"
			a.store.sources[1] = d
			again, err := renew(t.Context())
			if err != nil || again.DataSource.URL != "http://changed" || again.User.Login != "admin" {
				t.Errorf("renewed: %+v, %v", again, err)
			}
			return p, nil
		}
		go func() {
			p.next <- []byte(`{"n":1}`)
			p.next <- []byte("{\n\"n\":\r\n2}")
			p.next <- []byte("not JSON " + secret)
			time.Sleep(heartbeat + time.Second)
			p.next <- []byte(`[3]`)
			close(p.next)
		}()
		w := a.call("GET", `/api/live/sse?channel=ds/one//a%2Bb/..&data={"x":1}`, "")
		const want = ": subscribed\n\ndata: {\"first\":true}\n\ndata: {\"n\":1}\n\ndata: {\"n\":2}\n\n: alive\n\ndata: [3]\n\nevent: end\ndata: {}\n\n"
		if w.Code != 200 || w.Body.String() != want || w.Header().Get("Content-Type") != "text/event-stream" || !w.Flushed {
			t.Errorf("%d %v\n%s\nwant\n%s", w.Code, w.Header(), w.Body, want)
		}
		if got.Path != "/a+b/.." || string(got.Data) != `{"x":1}` || got.Context.DataSource.UID != "one" || !p.closed {
			t.Errorf("request %+v, closed %t", got, p.closed)
		}
	})
}

// TestStreamEnds holds that a stream ends with the client, with the server, and
// that a client is told of any other end.
func TestStreamEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		p := &packets{next: make(chan []byte), end: errors.New("too slow\nfor " + secret)}
		a.host.subscribe = func(*plugin.StreamRequest, func(context.Context) (plugin.Context, error)) (subscription, error) {
			return p, nil
		}
		ctx, leave := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, "GET", "/api/live/sse?channel=ds/one/tick", nil)
		r.Header.Set("Authorization", "Bearer good")
		done := make(chan bool)
		go func() { a.ServeHTTP(httptest.NewRecorder(), r); close(done) }()
		synctest.Wait()
		leave()
		<-done

		go func() { synctest.Wait(); a.EndStreams() }()
		a.call("GET", "/api/live/sse?channel=ds/one/tick", "")

		a = newAPI(t)
		a.host.subscribe = func(*plugin.StreamRequest, func(context.Context) (plugin.Context, error)) (subscription, error) {
			return p, nil
		}
		close(p.next)
		if w := a.call("GET", "/api/live/sse?channel=ds/one/tick", ""); w.Body.String() != ": subscribed\n\n: ended: too slow for [secret]\n\nevent: end\ndata: {\"error\":\"too slow for [secret]\"}\n\n" {
			t.Errorf("%q", w.Body)
		}
	})
}

func TestStreamRefused(t *testing.T) {
	a := newAPI(t)
	var refusal error
	a.host.subscribe = func(*plugin.StreamRequest, func(context.Context) (plugin.Context, error)) (subscription, error) {
		return nil, refusal
	}
	for _, test := range []struct {
		err     error
		status  int
		message string
	}{
		{host.ErrStreamNotFound, 404, "Not Found: "},
		{host.ErrStreamDenied, 403, "Forbidden: "},
		{plugin.ErrNotImplemented, 404, "Not found: "},
		{plugin.ErrUnavailable, 503, "Plugin unavailable: "},
		{&plugin.Error{Message: "namespace"}, 500, "Failed to subscribe: "},
	} {
		refusal = test.err
		a.wantFailure(test.status, map[int]string{503: "plugin.unavailable"}[test.status]+map[string]string{"Not found: ": "plugin.notImplemented"}[test.message],
			test.message, "GET", "/api/live/sse?channel=plugin/an-app/x", "")
	}
	a.wantFailure(400, "", "invalid channel ID: ", "GET", "/api/live/sse?channel=1/ds/one/x", "")
	a.wantFailure(400, "", "bad request data: the parameter data is not JSON", "GET", "/api/live/sse?channel=ds/one/x&data={", "")
	a.wantFailure(400, "", "bad request data: the query string", "GET", "/api/live/sse?channel=%zz", "")
	a.wantFailure(404, "", "Data source not found: ", "GET", "/api/live/sse?channel=ds/nosuch/x", "")
	a.wantFailure(404, "", "Plugin not found", "GET", "/api/live/sse?channel=plugin/nosuch/x", "")
	a.wantFailure(404, "", "Not found", "HEAD", "/api/live/sse?channel=ds/one/x", "")
}

func TestPublish(t *testing.T) {
	a := newAPI(t)
	var got *plugin.StreamRequest
	reply := plugin.StreamReply{}
	a.host.publish = func(req *plugin.StreamRequest) (plugin.StreamReply, error) {
		got = req
		return reply, nil
	}
	const body = `{"channel":"ds/one/a//b","data":{"x":1}}`
	a.want(200, `{}`, "POST", "/api/live/publish", body)
	if got.Path != "a//b" || string(got.Data) != `{"x":1}` {
		t.Errorf("%+v", got)
	}
	reply.Status = plugin.StreamNotFound
	a.wantFailure(404, "", "Not Found: ", "POST", "/api/live/publish", body)
	reply.Status = plugin.StreamPermissionDenied
	a.wantFailure(403, "", "Forbidden: ", "POST", "/api/live/publish", body)
	a.wantFailure(400, "", "invalid channel ID", "POST", "/api/live/publish", `{}`)
	a.wantFailure(400, "", "bad request data", "POST", "/api/live/publish", `[`)
}
