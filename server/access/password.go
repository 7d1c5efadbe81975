package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// maxPassword is what bcrypt looks at.
const maxPassword = 72

// rememberFor is how long a verified password is accepted without bcrypt, which
// takes about 60 ms of a CPU: too much for every call of a script.
const rememberFor = 5 * time.Minute

// password is the admin's.
type password struct {
	hash []byte
	key  [32]byte // for the remembered value: it is not the password

	// slow holds one token: one bcrypt at a time, so that a flood of guesses
	// leaves CPUs free and is counted before the next guess.
	slow chan struct{}

	mu         sync.RWMutex
	remembered [sha256.Size]byte
	until      time.Time
}

func newPassword(hash string) *password {
	p := &password{hash: []byte(hash), slow: make(chan struct{}, 1)}
	rand.Read(p.key[:]) // never fails
	return p
}

// check returns nil if login and password are right. It is slow, unless they
// were right a short while ago; failures are counted for the network.
func (p *password) check(ctx context.Context, login, password, network string, counted *attempts) error {
	if p.remembers(login, password) {
		return nil
	}
	select {
	case p.slow <- struct{}{}:
		defer func() { <-p.slow }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if p.remembers(login, password) {
		return nil // found right while this call waited
	}
	if err := counted.allowed(network, time.Now()); err != nil {
		return err
	}
	if !p.matches(login, password) {
		counted.fail(network, time.Now())
		return ErrBadPassword
	}
	counted.forget(network)
	p.remember(login, password)
	return nil
}

// matches takes as long for a wrong login as for a wrong password.
func (p *password) matches(login, password string) bool {
	right := len(password) <= maxPassword && bcrypt.CompareHashAndPassword(p.hash, []byte(password)) == nil
	return right && login == AdminLogin
}

func (p *password) remember(login, password string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remembered, p.until = p.sum(login, password), time.Now().Add(rememberFor)
}

func (p *password) remembers(login, password string) bool {
	sum := p.sum(login, password)
	p.mu.RLock()
	defer p.mu.RUnlock()
	return time.Now().Before(p.until) && hmac.Equal(sum[:], p.remembered[:])
}

func (p *password) sum(login, password string) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, p.key[:])
	mac.Write([]byte(login + "\x00" + password))
	mac.Sum(sum[:0])
	return sum
}
