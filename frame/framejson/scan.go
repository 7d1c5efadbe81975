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

// nests tells of each byte whether it begins or ends something: a string, an
// object or an array. ends tells whether it ends a number or a word.
var nests, ends = bytesOf(`"{}[]`), bytesOf("\"{}[], \t\n\r")

func bytesOf(set string) (in [256]bool) {
	for _, c := range []byte(set) {
		in[c] = true
	}
	return in
}

// skip returns the next value, whose inside is not checked.
func (s *scanner) skip() ([]byte, error) {
	s.peek()
	start, b, i := s.i, s.b, s.i
	for depth := 0; i < len(b); {
		switch b[i] {
		case '"':
			i = stringEnd(b, i+1)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		default:
			for i < len(b) && !ends[b[i]] {
				i++
			}
		}
		if depth <= 0 {
			return s.skipped(start, i, depth)
		}
		for i < len(b) && !nests[b[i]] {
			i++
		}
	}
	return nil, errEnd
}

// skipped returns the value that ends at end.
func (s *scanner) skipped(start, end, depth int) ([]byte, error) {
	if end > len(s.b) {
		return nil, errEnd
	}
	if end == start || depth < 0 {
		return nil, fmt.Errorf("no value at byte %d", start)
	}
	s.i = end
	return s.b[start:end], nil
}

// stringEnd returns the position behind the quote that ends the string at i,
// one beyond the end of b if there is none.
func stringEnd(b []byte, i int) int {
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(b) + 1
}

// raw returns the next value, which is valid JSON.
func (s *scanner) raw() (json.RawMessage, error) {
	b, err := s.skip()
	if err == nil && !json.Valid(b) {
		err = errors.New("not valid JSON")
	}
	return b, err
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
