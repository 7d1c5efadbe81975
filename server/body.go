package server

import (
	"io"
	"net/http"
	"time"
)

// bodyTimeout is how long a client may take to send a request's body.
const bodyTimeout = 2 * time.Minute

// timeBodies keeps clients that send a body drop by drop from holding a
// connection for ever, whether the handler reads that body or refuses it.
// http.Server's ReadTimeout would go on for as long as the answer takes, and
// end it.
func timeBodies(next http.Handler, limit time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			control := http.NewResponseController(w)
			if control.SetReadDeadline(time.Now().Add(limit)) == nil { // not every writer has deadlines
				r.Body = &timedBody{r.Body, control}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// timedBody ends the deadline once the body has been read.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
