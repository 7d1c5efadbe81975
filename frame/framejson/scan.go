package framejson

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

var errEnd = errors.New("unexpected end")

// scanner reads JSON from b[i:]. Its methods skip white space before what they
// read. What it returns shares b's memory, or is valid until the next call.
type scanner struct {
	b    []byte
	i    int
	text []byte // holds strings with escapes
}

// peek returns the next byte that is not white space, 0 at the end.
func (s *scanner) peek() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// take reads c.
func (s *scanner) take(c byte) error {
	switch got := s.peek(); {
	case s.i == len(s.b):
		return errEnd
	case got != c:
		return fmt.Errorf("%q where %q is expected, at byte %d", got, c, s.i)
	}
	s.i++
	return nil
}

// end checks that nothing but white space follows.
func (s *scanner) end() error {
	if c := s.peek(); s.i < len(s.b) {
		return fmt.Errorf("%q after the end, at byte %d", c, s.i)
	}
	return nil
}

// null reads a null, if that is next.
func (s *scanner) null() bool {
	if s.peek() != 'n' || len(s.b)-s.i < 4 || string(s.b[s.i:s.i+4]) != "null" {
		return false
	}
	s.i += 4
	return true
}

// object reads an object. member is called after each key and reads the value.
func (s *scanner) object(member func(key string) error) error {
	return s.sequence('{', '}', func(int) error {
		key, err := s.str()
		if err != nil {
			return err
		}
		name := string(key)
		if err := s.take(':'); err != nil {
			return err
		}
		return member(name)
	})
}

// array reads an array. element reads each.
func (s *scanner) array(element func(i int) error) error {
	return s.sequence('[', ']', element)
}

func (s *scanner) sequence(open, end byte, element func(i int) error) error {
	if err := s.take(open); err != nil {
		return err
	}
	if s.peek() == end {
		s.i++
		return nil
	}
	for i := 0; ; i++ {
		if err := element(i); err != nil {
			return err
		}
		if s.peek() == end {
			s.i++
			return nil
		}
		if err := s.take(','); err != nil {
			return err
		}
	}
}

// skip returns the next value, whose inside is not checked.
func (s *scanner) skip() ([]byte, error) {
	s.peek()
	start, depth := s.i, 0
	for ; s.i < len(s.b); s.i++ {
		switch s.b[s.i] {
		case '"':
			if err := s.skipString(); err != nil {
				return nil, err
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth--; depth < 0 {
				return s.skipped(start)
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return s.skipped(start)
			}
			continue
		default:
			continue
		}
		if depth == 0 { // behind a string, an object or an array
			s.i++
			return s.skipped(start)
		}
	}
	if depth > 0 {
		return nil, errEnd
	}
	return s.skipped(start)
}

func (s *scanner) skipped(start int) ([]byte, error) {
	if start == s.i {
		return nil, fmt.Errorf("no value at byte %d", start)
	}
	return s.b[start:s.i], nil
}

// skipString goes to a string's closing quote.
func (s *scanner) skipString() error {
	for s.i++; s.i < len(s.b); s.i++ {
		switch s.b[s.i] {
		case '"':
			return nil
		case '\\':
			s.i++
		}
	}
	return errEnd
}

// raw returns the next value, which is valid JSON.
func (s *scanner) raw() (json.RawMessage, error) {
	b, err := s.skip()
	if err == nil && !json.Valid(b) {
		err = errors.New("not valid JSON")
	}
	return b, err
}

// number returns the characters of the next value, a number.
func (s *scanner) number() (string, error) {
	s.peek()
	start := s.i
	s.skipByte('-')
	if !s.skipByte('0') && !s.skipDigits() {
		return "", s.notNumber(start)
	}
	if s.skipByte('.') && !s.skipDigits() {
		return "", s.notNumber(start)
	}
	if s.skipByte('e') || s.skipByte('E') {
		if !s.skipByte('+') {
			s.skipByte('-')
		}
		if !s.skipDigits() {
			return "", s.notNumber(start)
		}
	}
	return text(s.b[start:s.i]), nil
}

// quotedNumber is number, but the value may be quoted.
func (s *scanner) quotedNumber() (string, error) {
	if s.peek() != '"' {
		return s.number()
	}
	quoted, err := s.str()
	return text(quoted), err
}

func (s *scanner) notNumber(start int) error {
	if s.i == len(s.b) {
		return errEnd
	}
	return fmt.Errorf("%q where a number is expected, at byte %d", s.b[start:s.i+1], start)
}

func (s *scanner) skipByte(c byte) bool {
	if s.i == len(s.b) || s.b[s.i] != c {
		return false
	}
	s.i++
	return true
}

func (s *scanner) skipDigits() bool {
	start := s.i
	for s.i < len(s.b) && isDigit(s.b[s.i]) {
		s.i++
	}
	return s.i > start
}

// text returns b as a string that is good for as long as b does not change.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// str reads a string.
func (s *scanner) str() ([]byte, error) {
	if err := s.take('"'); err != nil {
		return nil, err
	}
	start := s.i
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.b[start : s.i-1], nil
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			return nil, fmt.Errorf("control character %q in a string, at byte %d", c, s.i)
		}
	}
	return nil, errEnd
}

// escaped goes on with a string that has an escape at s.i.
func (s *scanner) escaped(start int) ([]byte, error) {
	out := append(s.text[:0], s.b[start:s.i]...)
	for s.i < len(s.b) {
		c := s.b[s.i]
		s.i++
		switch {
		case c == '"':
			s.text = out
			return out, nil
		case c < ' ':
			return nil, fmt.Errorf("control character %q in a string, at byte %d", c, s.i-1)
		case c != '\\':
			out = append(out, c)
			continue
		case s.i == len(s.b):
			return nil, errEnd
		}
		r, err := s.escape()
		if err != nil {
			return nil, err
		}
		out = utf8.AppendRune(out, r)
	}
	return nil, errEnd
}

// escape reads what follows a backslash. There is at least one more byte.
func (s *scanner) escape() (rune, error) {
	c := s.b[s.i]
	s.i++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		r, ok := s.hex4(s.i)
		if !ok {
			break
		}
		s.i += 4
		if utf16.IsSurrogate(r) && s.i+1 < len(s.b) && s.b[s.i] == '\\' && s.b[s.i+1] == 'u' {
			if low, ok := s.hex4(s.i + 2); ok {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					s.i += 6
					return pair, nil
				}
			}
		}
		return r, nil // half a pair becomes U+FFFD
	}
	return 0, fmt.Errorf("bad escape in a string, at byte %d", s.i-2)
}

// hex4 returns the number of four hexadecimal digits at i.
func (s *scanner) hex4(i int) (r rune, ok bool) {
	if len(s.b)-i < 4 {
		return 0, false
	}
	for _, c := range s.b[i : i+4] {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
