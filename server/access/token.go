package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"strings"
)

// The errors of Identify for tokens. They begin with the texts that clients of
// Grafana expect. All are 401.
var (
	// ErrBadToken: the token is none of ours, or was revoked.
	//lint:ignore ST1005 the text is an API
	ErrBadToken = errors.New("Invalid API key")
	// ErrExpiredToken: the token has ended.
	//lint:ignore ST1005 the text is an API
	ErrExpiredToken = errors.New("Expired API key")
	// ErrDisabledAccount: the token is right, its account is disabled.
	ErrDisabledAccount = errors.New("the service account is disabled")
)

// A token is "pb_", 32 random bytes in base32, "_", and the CRC-32 of all
// before that in hexadecimal digits. The prefix is for those who look for
// secrets where none should be; the sum tells a slip of the hand from a token
// that was revoked.
const (
	tokenPrefix = "pb_"
	tokenRandom = 32
	tokenSum    = 1 + 8
	tokenLength = len(tokenPrefix) + (tokenRandom*8+4)/5 + tokenSum
)

func makeToken() (text string, hash TokenHash) {
	random := make([]byte, tokenRandom)
	rand.Read(random) // never fails
	text = tokenPrefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random))
	text += checksum(text)
	return text, sha256.Sum256([]byte(text))
}

func checksum(text string) string { return fmt.Sprintf("_%08x", crc32.ChecksumIEEE([]byte(text))) }

// hashToken returns false for what can be no token.
func hashToken(text string) (TokenHash, bool) {
	if len(text) != tokenLength {
		return TokenHash{}, false
	}
	var fixed [tokenLength]byte // on the stack
	copy(fixed[:], text)
	return sha256.Sum256(fixed[:]), true
}

// badToken says what is wrong with a token that nobody has.
func badToken(text string) error {
	end := len(text) - tokenSum
	if len(text) != tokenLength || !strings.HasPrefix(text, tokenPrefix) || checksum(text[:end]) != text[end:] {
		return fmt.Errorf("%w: the token is mistyped, cut off, or not from a Plugboard", ErrBadToken)
	}
	return fmt.Errorf("%w: the token was revoked, or is from another server", ErrBadToken)
}

// bearer returns the token that r shows.
func bearer(r *http.Request) (token string, ok bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}
