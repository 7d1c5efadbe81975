package access

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	// maxFailures wrong passwords from one network within failureWindow close
	// the door to it until the window has passed.
	maxFailures   = 10
	failureWindow = 5 * time.Minute
	// maxNetworks are watched at a time; beyond them the oldest is forgotten.
	maxNetworks = 10_000
)

// TooManyAttempts says when to try again.
type TooManyAttempts struct{ RetryAfter time.Duration }

func (e *TooManyAttempts) Error() string {
	return fmt.Sprintf("%v, try again in %d seconds", ErrTooManyAttempts, e.Seconds())
}

// Is makes it an ErrTooManyAttempts.
func (e *TooManyAttempts) Is(target error) bool { return target == ErrTooManyAttempts }

// Seconds is the value for a Retry-After header.
func (e *TooManyAttempts) Seconds() int { return int((e.RetryAfter + time.Second - 1) / time.Second) }

// attempts counts wrong passwords by the network they came from.
type attempts struct {
	mu     sync.Mutex
	failed map[string]failures
}

type failures struct {
	first time.Time
	count int
}

func (a *attempts) allowed(network string, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.failed[network]
	if wait := f.first.Add(failureWindow).Sub(now); f.count >= maxFailures && wait > 0 {
		return &TooManyAttempts{wait}
	}
	return nil
}

func (a *attempts) fail(network string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, known := a.failed[network]
	if !known && len(a.failed) >= maxNetworks {
		a.forgetOldest()
	}
	if now.Sub(f.first) >= failureWindow {
		f = failures{first: now}
	}
	f.count++
	a.failed[network] = f
}

func (a *attempts) forget(network string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.failed, network)
}

func (a *attempts) forgetOldest() {
	var oldest string
	var at time.Time
	for network, f := range a.failed {
		if oldest == "" || f.first.Before(at) {
			oldest, at = network, f.first
		}
	}
	delete(a.failed, oldest)
}

// clientNetwork is the address that r came from; of IPv6 the /64, as one
// client has that many.
func clientNetwork(r *http.Request) string {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip := address.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	network, err := ip.Prefix(64)
	if err != nil {
		return ip.String()
	}
	return network.String()
}
