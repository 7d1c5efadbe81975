package host

import "errors"

var (
	// ErrNotFound: no plugin of that id is installed.
	ErrNotFound = errors.New("plugin not found")
	// ErrNoBackend: the plugin has no process that could answer.
	ErrNoBackend = errors.New("plugin has no backend")
	// ErrStopped: the plugin does not run until somebody starts it, because it
	// is in quarantine or was stopped. It is plugin.ErrUnavailable, too.
	ErrStopped = errors.New("does not run until it is started")
	// ErrBusy: too many calls of the plugin are under way, or wait.
	ErrBusy = errors.New("plugin busy")
	// ErrStreamNotFound: the plugin knows no such channel.
	ErrStreamNotFound = errors.New("stream not found")
	// ErrStreamDenied: the plugin refuses this subscriber the channel.
	ErrStreamDenied = errors.New("stream access denied")
)

func isRefusal(err error) bool {
	return errors.Is(err, ErrStreamNotFound) || errors.Is(err, ErrStreamDenied)
}
