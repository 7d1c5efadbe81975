package framejson

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/internal/shortest"
)

// intOf returns the reader of integers of that many bits, for what quickInt
// leaves to it.
func intOf[T int8 | int16 | int32 | int64](bits int) func(*scanner) (T, error) {
	return func(s *scanner) (T, error) {
		digits, err := integer(s)
		if err != nil {
			return 0, err
		}
		v, err := strconv.ParseInt(digits, 10, bits)
		if err != nil {
			return 0, numberError(err)
		}
		return T(v), nil
	}
}

// uintOf is intOf without a sign.
func uintOf[T uint8 | uint16 | uint32 | uint64 | frame.Enum](bits int) func(*scanner) (T, error) {
	return func(s *scanner) (T, error) {
		digits, err := integer(s)
		if err != nil {
			return 0, err
		}
		v, err := strconv.ParseUint(digits, 10, bits)
		if err != nil {
			return 0, numberError(err)
		}
		return T(v), nil
	}
}

// quickInt reads the integer at b[i:] if it is a usual one, and returns where
// it ends.
func quickInt[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | frame.Enum](b []byte, i int) (T, int, bool) {
	v, end, ok := shortest.ParseInt(b, i)
	return T(v), end, ok && int64(T(v)) == v && (v >= 0 || T(v) < 0)
}

// integer returns the characters of a number, which may be quoted. One with a
// fraction or an exponent is written out if it is a whole number.
func integer(s *scanner) (string, error) {
	digits, err := s.quotedNumber()
	if err != nil {
		return "", err
	}
	for i := range len(digits) {
		if c := digits[i]; c != '.' && c != 'e' && c != 'E' {
			continue
		}
		v, err := strconv.ParseFloat(digits, 64)
		if err != nil {
			return "", numberError(err)
		}
		if v != math.Trunc(v) || math.Abs(v) > 1<<53 {
			return "", fmt.Errorf("%q is not an integer", digits)
		}
		return strconv.FormatInt(int64(v), 10), nil
	}
	return digits, nil
}

// floatOf returns the reader of floats of that many bits, for what Parse64 and
// Parse32 leave to it.
func floatOf[T float32 | float64](bits int) func(*scanner) (T, error) {
	return func(s *scanner) (T, error) {
		v, err := readFloat(s, bits)
		return T(v), err
	}
}

func readFloat(s *scanner, bits int) (float64, error) {
	digits, err := s.number()
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(digits, bits)
	if err != nil {
		return 0, numberError(err)
	}
	return v, nil
}

// numberError keeps what strconv found, without its function's name and without
// the memory that the digits lie in.
func numberError(err error) error {
	var bad *strconv.NumError
	if !errors.As(err, &bad) {
		return err
	}
	if errors.Is(bad.Err, strconv.ErrRange) {
		return fmt.Errorf("%q is out of range", bad.Num)
	}
	return fmt.Errorf("%q is not such a number", bad.Num)
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
