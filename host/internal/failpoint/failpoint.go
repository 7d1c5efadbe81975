// Package failpoint names the points of a plugin's life at which a test may let
// something happen: the end of a process, of the plugin's or of the host's own.
package failpoint

import "sync/atomic"

// Points, in the order in which they come.
const (
	Forked     = "start: process made"
	Greeted    = "start: handshake read"
	Answered   = "start: process answers"
	Taken      = "upgrade: new version copied"
	Shelved    = "upgrade: new version in its place"
	Started    = "switch: new process answers"
	Switched   = "switch: new process in its place"
	Drained    = "drain: last call ended"
	Remembered = "upgrade: new version written down"
	Stopping   = "stop: process about to be asked"
	Ended      = "stop: process ended"
)

// All are all points.
var All = []string{Forked, Greeted, Answered, Taken, Shelved, Started, Switched, Drained, Remembered, Stopping, Ended}

var reached atomic.Pointer[func(point string)]

// Set has f called at every point that is reached, by the goroutine that
// reaches it. Only tests call it.
func Set(f func(point string)) { reached.Store(&f) }

// Reach marks a point. It is nothing but that outside tests.
func Reach(point string) {
	if f := reached.Load(); f != nil {
		(*f)(point)
	}
}
