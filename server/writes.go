package server

import (
	"net/http"
	"time"
)

// writeTimeout is how long a client may take to read a piece of an answer. Who
// reads nothing for so long is let go: the answer in the making holds memory,
// and a plugin's call.
const writeTimeout = 30 * time.Second

// pieceSize is what is written to a connection at a time.
const pieceSize = 128 << 10

// timeWrites gives every piece of an answer a deadline of its own; an answer
// may take as long as it likes. http.Server's WriteTimeout would end it.
func timeWrites(next http.Handler, limit time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		timed := &timedWriter{ResponseWriter: w, control: http.NewResponseController(w), limit: limit}
		timed.extend() // of the connection's request before, there may be an old one
		defer timed.extend()
		next.ServeHTTP(timed, r)
	})
}

// timedWriter moves the deadline of what is written.
type timedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	limit   time.Duration
	set     time.Time // when the deadline was
}

// extend leaves a deadline that is almost as it should be.
func (w *timedWriter) extend() {
	if now := time.Now(); now.Sub(w.set) > w.limit/16 {
		w.set = now
		_ = w.control.SetWriteDeadline(now.Add(w.limit)) // not every writer has deadlines
	}
}

func (w *timedWriter) Write(p []byte) (written int, err error) {
	for {
		piece := p[written:min(written+pieceSize, len(p))]
		w.extend()
		n, err := w.ResponseWriter.Write(piece)
		if written += n; err != nil || written == len(p) {
			return written, err
		}
	}
}

// FlushError is for http.ResponseController.
func (w *timedWriter) FlushError() error {
	w.extend()
	return w.control.Flush()
}

// Unwrap is for http.ResponseController.
func (w *timedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
