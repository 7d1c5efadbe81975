package supervisor

import "time"

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

// delay doubles with every failure.
func delay(failures int) time.Duration {
	if failures == 0 {
		return 0
	}
	if failures > 16 {
		return longestDelay
	}
	return min(firstDelay<<(failures-1), longestDelay)
}
