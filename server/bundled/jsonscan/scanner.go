// Package jsonscan reads JSON from a stream value by value, without building
// it in memory: bundled plugins fill columns straight from the wire with it.
package jsonscan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Scanner reads one JSON value after another. It accepts what encoding/json
// accepts and refuses what that refuses. It belongs to one goroutine.
//
// Bytes it returns are valid until its next method is called.
type Scanner struct {
	r   io.Reader
	err error // of r, sticky

	buf      []byte
	pos, end int   // buf[pos:end] is not read yet
	mark     int   // buf[mark:] is still needed; -1: nothing before pos is
	before   int64 // bytes that came before buf
	depth    int
}

const (
	firstBuffer = 32 << 10
	maxDepth    = 10000 // as encoding/json
)

// New returns a Scanner of r.
func New(r io.Reader) *Scanner {
	return &Scanner{r: r, buf: make([]byte, firstBuffer), mark: -1}
}

// Kind is the kind of a value, by the byte that it starts with.
type Kind byte

// The kinds.
const (
	Null   Kind = 'n'
	Bool   Kind = 't'
	Number Kind = '0'
	String Kind = '"'
	Array  Kind = '['
	Object Kind = '{'
)

// Kind tells what comes next, without reading it. It returns io.EOF if there
// is nothing more.
func (s *Scanner) Kind() (Kind, error) {
	c, err := s.peek()
	if err != nil {
		return 0, err
	}
	switch c {
	case '{', '[', '"', 'n', 't':
		return Kind(c), nil
	case 'f':
		return Bool, nil
	}
	if c == '-' || isDigit(c) {
		return Number, nil
	}
	return 0, s.unexpected(c)
}

// Delim reads a byte of punctuation.
func (s *Scanner) Delim(want byte) error {
	if s.pos < s.end && s.buf[s.pos] == want { // mostly
		s.pos++
		return nil
	}
	c, err := s.peek()
	if err != nil {
		return unexpectedEOF(err)
	}
	if c != want {
		return s.unexpected(c)
	}
	s.pos++
	return nil
}

// Array reads an array. element reads one element, all of it, or fails.
func (s *Scanner) Array(element func() error) error {
	return s.list('[', ']', element)
}

// Object reads an object. member reads the value of one key, all of it, or
// fails. The key is valid until member reads.
func (s *Scanner) Object(member func(key []byte) error) error {
	return s.list('{', '}', func() error {
		key, err := s.key()
		if err != nil {
			return err
		}
		return member(key)
	})
}

func (s *Scanner) list(open, closing byte, item func() error) error {
	if err := s.Delim(open); err != nil {
		return err
	}
	if s.depth++; s.depth > maxDepth {
		return s.fail("nested too deep")
	}
	defer func() { s.depth-- }()
	if c, err := s.peek(); err == nil && c == closing {
		s.pos++
		return nil
	}
	for {
		if err := item(); err != nil {
			return unexpectedEOF(err)
		}
		c, err := s.peek()
		switch {
		case err != nil:
			return unexpectedEOF(err)
		case c == closing:
			s.pos++
			return nil
		case c != ',':
			return s.unexpected(c)
		}
		s.pos++
	}
}

// key reads a key and its colon. What follows the colon is not looked at, so
// that the key stays where it is.
func (s *Scanner) key() ([]byte, error) {
	if c, err := s.peek(); err != nil {
		return nil, unexpectedEOF(err)
	} else if c != '"' {
		return nil, s.unexpected(c)
	}
	s.mark = s.pos
	defer func() { s.mark = -1 }()
	simple, err := s.skipString()
	if err != nil {
		return nil, err
	}
	length := s.pos - s.mark
	if err := s.Delim(':'); err != nil { // may move the buffer, with the mark
		return nil, err
	}
	return text(s.buf[s.mark:s.mark+length], simple)
}

// Text reads a string.
func (s *Scanner) Text() ([]byte, error) {
	if c, err := s.peek(); err != nil {
		return nil, unexpectedEOF(err)
	} else if c != '"' {
		return nil, s.unexpected(c)
	}
	s.mark = s.pos
	simple, err := s.skipString()
	quoted := s.buf[s.mark:s.pos]
	s.mark = -1
	if err != nil {
		return nil, err
	}
	return text(quoted, simple)
}

// text is the meaning of a string in quotes. A simple one has neither escapes
// nor anything beyond ASCII.
func text(quoted []byte, simple bool) ([]byte, error) {
	inside := quoted[1 : len(quoted)-1]
	if simple {
		return inside, nil
	}
	if utf8.Valid(inside) && !hasEscape(inside) {
		return inside, nil
	}
	var meaning string
	if err := json.Unmarshal(quoted, &meaning); err != nil {
		return nil, err
	}
	return []byte(meaning), nil
}

func hasEscape(b []byte) bool {
	for _, c := range b {
		if c == '\\' {
			return true
		}
	}
	return false
}

// Raw reads a value and returns its text: of a number its digits, of anything
// else its JSON as it came.
func (s *Scanner) Raw() ([]byte, error) {
	if _, err := s.peek(); err != nil {
		return nil, unexpectedEOF(err)
	}
	s.mark = s.pos
	err := s.Skip()
	raw := s.buf[s.mark:s.pos]
	s.mark = -1
	return raw, err
}

// End reports anything but white space that is left.
func (s *Scanner) End() error {
	c, err := s.peek()
	switch {
	case err == io.EOF:
		return nil
	case err != nil:
		return err
	}
	return s.unexpected(c)
}

// peek returns the next byte that is not white space, without reading it.
func (s *Scanner) peek() (byte, error) {
	for {
		for s.pos < s.end {
			switch c := s.buf[s.pos]; c {
			case ' ', '\t', '\r', '\n':
				s.pos++
			default:
				return c, nil
			}
		}
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
}

// fill reads more into the buffer, which moves what is in it. It fails if
// nothing comes.
func (s *Scanner) fill() error {
	if s.err != nil {
		return s.err
	}
	keep := s.pos
	if s.mark >= 0 {
		keep = s.mark
		s.mark = 0
	}
	copy(s.buf, s.buf[keep:s.end])
	s.pos, s.end, s.before = s.pos-keep, s.end-keep, s.before+int64(keep)
	if s.end == len(s.buf) {
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for range 100 {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		s.err = err
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	s.err = io.ErrNoProgress
	return s.err
}

// SyntaxError says where the text is not JSON.
type SyntaxError struct {
	Problem string
	// Offset is how many bytes come before.
	Offset int64
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("not JSON: %s at byte %d", e.Problem, e.Offset)
}

func (s *Scanner) fail(problem string) error {
	return &SyntaxError{problem, s.before + int64(s.pos)}
}

func (s *Scanner) unexpected(c byte) error {
	return s.fail(fmt.Sprintf("unexpected %q", c))
}

func unexpectedEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("not JSON: %w", io.ErrUnexpectedEOF)
	}
	return err
}
