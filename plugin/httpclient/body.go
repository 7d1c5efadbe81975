package httpclient

import (
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/plugboard/plugboard/plugin"
)

// limitFor is the limit of the settings, or a lower one that the host sets for
// all.
func (t *transport) limitFor(caller plugin.Context) int64 {
	limit := t.responseLimit
	ofHost, err := strconv.ParseInt(caller.GrafanaConfig["GF_RESPONSE_LIMIT"], 10, 64)
	if err == nil && ofHost > 0 && (limit < 0 || ofHost < limit) {
		return ofHost
	}
	return limit
}

// body is the body of a response. It ends with an error if it is longer than
// limit, and its errors say where they come from.
type body struct {
	io.ReadCloser
	request *http.Request
	limit   int64 // below 0: none
	n       int64
	done    func(n int64)
	closed  bool
	err     error
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.limit >= 0 && int64(len(p)) > b.limit-b.n+1 {
		p = p[:b.limit-b.n+1] // one more, to know whether there is more
	}
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	if b.limit >= 0 && b.n > b.limit {
		n, b.n = n-1, b.limit
		b.err = tooLong(b.request, b.limit)
		return n, b.err
	}
	if err != nil && err != io.EOF {
		err = fault(b.request.Method, SafeURL(b.request.URL), fmt.Errorf("read the response: %w", err))
	}
	b.err = err
	return n, err
}

// Close may be called more than once.
func (b *body) Close() error {
	if !b.closed {
		b.closed = true
		b.done(b.n)
	}
	return b.ReadCloser.Close()
}

func tooLong(r *http.Request, limit int64) error {
	return &plugin.Error{
		Message: fmt.Sprintf("%s %s: the response is longer than %d bytes, the responseLimit of the settings or the host's", r.Method, SafeURL(r.URL), limit),
		Source:  plugin.SourceDownstream,
		Status:  http.StatusBadGateway,
		Err:     ErrTooLong,
	}
}
