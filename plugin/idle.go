package plugin

import (
	"fmt"
	"os"
	"time"
)

// defaultIdle is how long an instance stays open without a call on it. It is
// that of the official SDK's manager that closes instances at all.
const defaultIdle = time.Hour

// idleKey is the environment variable by which an operator overrules the
// author: both Grafana and Plugboard pass a plugin's setting instance_idle on
// under this name.
const idleKey = "GF_PLUGIN_INSTANCE_IDLE"

// CloseIdle returns p with another patience: an instance on which there was no
// call and no stream for that long is closed, and opened again with the next
// call. 0 keeps instances open until their settings change. The default is an
// hour; the operator's instance_idle, in the environment as
// GF_PLUGIN_INSTANCE_IDLE, beats both.
func (p Plugin) CloseIdle(after time.Duration) Plugin {
	p.idle = max(after, 0)
	return p
}

// obeyOperator returns p with what the environment says of it.
func (p Plugin) obeyOperator() (Plugin, error) {
	text := os.Getenv(idleKey)
	if text == "" {
		return p, nil
	}
	after, err := time.ParseDuration(text)
	if err != nil || after < 0 {
		return p, fmt.Errorf("the plugin's setting instance_idle (%s) is %q: it must be a duration such as 10m, or 0 to keep instances open", idleKey, text)
	}
	return p.CloseIdle(after), nil
}

// expire retires an instance that was not used for long enough, and looks at
// any other again when it may be.
func (s *instances) expire(place *slot, h *held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if place.current != h {
		return
	}
	left := s.idle
	if h.calls == 0 {
		left -= time.Since(h.used)
	}
	if left > 0 {
		h.expiry.Reset(left)
		return
	}
	s.retire(place)
	s.tidy(place)
}

// forget retires the instance of a data source that is no more. Calls under
// way go on; one that comes later, because it was late, opens another, which
// closes when it has been idle.
func (s *instances) forget(c Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	place := s.slots[keyOf(c)]
	if place == nil {
		return
	}
	if place.opening != nil {
		place.opening.forgotten = true
	}
	place.forgive()
	s.retire(place)
	s.tidy(place)
}
