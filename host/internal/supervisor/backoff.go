package supervisor

import (
	"errors"
	"math/rand/v2"
	"time"
)

const (
	firstDelay   = 50 * time.Millisecond
	longestDelay = 30 * time.Second
	// quickly is the age below which a death counts as one of a series.
	quickly = 5 * time.Second
)

// backoff counts the failures in a row.
type backoff struct{ failures int }

// failed returns how long to wait after a start that failed.
func (b *backoff) failed() time.Duration {
	b.failures++
	return delay(b.failures)
}

// died returns how long to wait after the death of a process of the given age:
// not at all for the first, and longer and longer for those that die quickly.
func (b *backoff) died(age time.Duration) time.Duration {
	if age >= quickly {
		b.failures = 0
		return 0
	}
	b.failures++
	return delay(b.failures - 1)
}

// delay doubles with every failure, and is up to a quarter shorter than that:
// plugins that one cause has felled are not to come back in step.
func delay(failures int) time.Duration {
	if failures == 0 {
		return 0
	}
	longest := longestDelay
	if failures <= 16 {
		longest = min(firstDelay<<(failures-1), longestDelay)
	}
	return longest - rand.N(longest/4)
}

// crashes remembers the deaths within a time.
type crashes struct {
	limit  int // negative: none
	within time.Duration
	times  []time.Time
}

// died counts a death, and reports whether there have been too many.
func (c *crashes) died(now time.Time) bool {
	if c.limit < 0 {
		return false
	}
	recent := c.times[:0]
	for _, t := range c.times {
		if now.Sub(t) < c.within {
			recent = append(recent, t)
		}
	}
	c.times = append(recent, now)
	return len(c.times) >= c.limit
}

// handedOver tells whether a process has ended only to be started again: it
// says so itself.
func handedOver(err error) bool {
	said, ok := errors.AsType[interface {
		error
		HandedOver() bool
	}](err)
	return ok && said.HandedOver()
}

func (c *crashes) forget() { c.times = nil }
