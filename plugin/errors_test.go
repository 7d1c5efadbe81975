package plugin_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"syscall"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugboard/plugboard/plugin"
)

func TestDownstreamStatus(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{errors.New("no answer"), http.StatusBadGateway},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, http.StatusBadGateway},
		{fmt.Errorf("ask: %w", context.DeadlineExceeded), http.StatusGatewayTimeout},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, http.StatusGatewayTimeout},
		{&net.DNSError{IsTimeout: true}, http.StatusGatewayTimeout},
		{fmt.Errorf("ask: %w", plugin.BadRequest("no such city")), http.StatusBadRequest},
		{&plugin.Error{Status: http.StatusTeapot, Err: context.DeadlineExceeded}, http.StatusTeapot},
	} {
		failure, ok := errors.AsType[*plugin.Error](plugin.Downstream(c.err))
		if !ok || failure.Status != c.want || failure.Source != plugin.SourceDownstream || !errors.Is(failure, c.err) {
			t.Errorf("%v: got %+v", c.err, failure)
		}
	}
	if err := plugin.Downstream(nil); err != nil {
		t.Errorf("of nothing: %v", err)
	}
}

func TestBadRequestKeepsItsCauses(t *testing.T) {
	err := plugin.BadRequest("neither %w nor %w", io.EOF, &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist})
	if !errors.Is(err, io.EOF) || !errors.Is(err, fs.ErrNotExist) || err.Error() != "neither EOF nor open x: file does not exist" {
		t.Errorf("got %v", err)
	}
}

// TestWriteError shows, on the way, whose fault the errors are that an author
// returns as they come.
func TestWriteError(t *testing.T) {
	const down, own = plugin.SourceDownstream, plugin.SourcePlugin
	_, missing := os.Open("there is no such file")
	_, badURL := url.Parse(fmt.Sprintf("http://%s", "["))
	_, refused := http.Get("http://127.0.0.1:1/")
	for _, c := range []struct {
		err    error
		status int
		source plugin.ErrorSource
	}{
		{errors.New("a bug"), 500, own},
		{&plugin.Error{Message: "no status"}, 500, own},
		{&plugin.Error{Message: "no such status", Status: 42}, 500, own},
		{plugin.Errorf(403, "not yours"), 403, down},
		{plugin.Errorf(404, "no such city"), 404, down},
		{plugin.Errorf(500, "it is broken"), 500, down},
		{plugin.Errorf(405, "not with POST"), 405, own},
		{plugin.Errorf(501, "not here"), 501, own},
		{fmt.Errorf("ask: %w", plugin.BadRequest("what?")), 400, down},
		{refused, 502, down},
		{&url.Error{Op: "Get", URL: "x", Err: io.EOF}, 502, down},
		{&url.Error{Op: "Get", URL: "x", Err: context.DeadlineExceeded}, 504, down},
		{fmt.Errorf("write: %w", syscall.ECONNRESET), 502, down},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, 502, down},
		{x509.UnknownAuthorityError{}, 502, down},
		{status.Error(codes.Unavailable, "gone"), 502, down},
		{fmt.Errorf("ask: %w", status.Error(codes.DeadlineExceeded, "late")), 504, down},
		{status.Error(codes.Internal, "gone"), 500, own},
		{context.Canceled, 500, down},
		{missing, 500, own},
		{badURL, 500, own},
		{io.EOF, 500, own},
	} {
		w := httptest.NewRecorder()
		plugin.WriteError(w, c.err)
		want := fmt.Sprintf(`{"errorSource":%q,"message":%q}`, c.source, c.err)
		if w.Code != c.status || w.Body.String() != want || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%v: got %d %s, want %d %s", c.err, w.Code, w.Body, c.status, want)
		}
	}
}
