package plugin

import "time"

// How long after a failed opening no other is made with the same settings: it
// doubles with every failure in a row.
const (
	firstReopen   = 500 * time.Millisecond
	longestReopen = 30 * time.Second
)

// failure is the last opening of a place, if that failed.
type failure struct {
	settings Context
	err      error
	delay    time.Duration
	retry    time.Time
	expiry   *time.Timer
}

// recent returns why no opening should be tried with settings c yet. f may be
// nil.
func (f *failure) recent(c Context) error {
	if f == nil || !time.Now().Before(f.retry) || !sameSettings(f.settings, c) {
		return nil
	}
	return f.err
}

// failed notes that an opening has failed. s.mu is held.
func (s *instances) failed(place *slot, settings Context, err error) {
	delay := firstReopen
	if last := place.failure; last != nil && sameSettings(last.settings, settings) {
		delay = min(2*last.delay, longestReopen)
	}
	place.forgive()
	f := &failure{settings: settings, err: err, delay: delay, retry: time.Now().Add(delay)}
	place.failure = f
	// One that nobody has tried again for long is not worth remembering.
	f.expiry = time.AfterFunc(delay+longestReopen, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if place.failure == f {
			place.failure = nil
			s.tidy(place)
		}
	})
}

// forgive forgets a failure.
func (place *slot) forgive() {
	if place.failure != nil {
		place.failure.expiry.Stop()
		place.failure = nil
	}
}
