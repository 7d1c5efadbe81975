package ours

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"

	"github.com/plugboard/plugboard/conformance/official"
)

func resource(ctx context.Context, t *testing.T, h *official.Client, method, path string, header map[string][]string) pluginv2.Resource_CallResourceClient {
	t.Helper()
	stream, err := h.Resource.CallResource(ctx, backend.ToProto().CallResourceRequest(&backend.CallResourceRequest{
		PluginContext: seattle(), Path: path, URL: path, Method: method, Headers: header,
	}))
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// TestResourceInPieces: what the handler flushes arrives while it waits.
func TestResourceInPieces(t *testing.T) {
	h := startEverything(t)
	waiting := resource(t.Context(), t, h, "GET", "wait", nil)
	first, err := waiting.Recv()
	if err != nil || string(first.Body) != "first" {
		t.Fatalf("%v, %v", first, err)
	}
	if _, err := resource(t.Context(), t, h, "POST", "go", nil).Recv(); err != nil {
		t.Fatal(err)
	}
	if second, err := waiting.Recv(); err != nil || string(second.Body) != "second" {
		t.Errorf("%v, %v", second, err)
	}
	if _, err := waiting.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}

func TestResourceFiles(t *testing.T) {
	h := startEverything(t)
	for name, test := range map[string]struct {
		method string
		header map[string][]string
		code   int
		body   string
	}{
		"head":     {"HEAD", nil, http.StatusOK, ""},
		"range":    {"GET", map[string][]string{"Range": {"bytes=2-4"}}, http.StatusPartialContent, "234"},
		"same tag": {"GET", map[string][]string{"If-None-Match": {`"v1"`}}, http.StatusNotModified, ""},
	} {
		m, err := resource(t.Context(), t, h, test.method, "file", test.header).Recv()
		if err != nil {
			t.Fatal(err)
		}
		r := backend.FromProto().CallResourceResponse(m)
		if r.Status != test.code || string(r.Body) != test.body || r.Headers["Etag"][0] != `"v1"` || r.Headers["Connection"] != nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestLateSubscriber: Grafana hands a subscriber what SubscribeStream answers,
// and then packets without a schema.
func TestLateSubscriber(t *testing.T) {
	h := startEverything(t)
	c := backend.ToProto().PluginContext(seattle())
	stream, err := h.Stream.RunStream(t.Context(), &pluginv2.RunStreamRequest{PluginContext: c, Path: "stay"})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	r, err := h.Stream.SubscribeStream(t.Context(), &pluginv2.SubscribeStreamRequest{PluginContext: c, Path: "stay"})
	if err != nil || !strings.HasPrefix(string(r.GetData()), `{"schema":{"name":"rain",`) || !strings.Contains(string(r.GetData()), `["row 2"]`) {
		t.Errorf("%s, %v", r.GetData(), err)
	}
}
