package framejson

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/plugboard/plugboard/frame"
)

// intOf returns the reader of integers of that many bits.
func intOf[T int8 | int16 | int32 | int64](bits int) func(*scanner) (T, error) {
	return func(s *scanner) (T, error) {
		if v, ok := s.short(); ok && v.behind == 0 && int64(T(v.signed())) == v.signed() {
			s.i = v.end
			return T(v.signed()), nil
		}
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
		if v, ok := s.short(); ok && v.behind == 0 && !v.negative && int64(T(v.digits)) == v.digits {
			s.i = v.end
			return T(v.digits), nil
		}
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

// shortNumber is a number as most are: exact in float64, and so is what it is
// to be divided by.
type shortNumber struct {
	digits   int64 // at most 15
	behind   int   // how many of them are behind the point
	negative bool
	end      int // where the number ends in the scanner
}

func (n shortNumber) signed() int64 {
	if n.negative {
		return -n.digits
	}
	return n.digits
}

var powersOfTen = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// float returns the number that strconv would: one rounding of two exact ones.
func (n shortNumber) float() float64 {
	v := float64(n.digits) / powersOfTen[n.behind]
	if n.negative {
		return -v
	}
	return v
}

// short looks at the next number. It is false if that is not a short one, or
// not one at all.
func (s *scanner) short() (n shortNumber, ok bool) {
	s.peek()
	i := s.i
	if i < len(s.b) && s.b[i] == '-' {
		n.negative = true
		i++
	}
	first, point := i, -1
	for ; i < len(s.b); i++ {
		if c := s.b[i]; isDigit(c) {
			n.digits = n.digits*10 + int64(c-'0')
		} else if c == '.' && point < 0 {
			point = i
		} else {
			break
		}
		if i-first > 15 {
			return n, false
		}
	}
	count := i - first
	if point >= 0 {
		count, n.behind = count-1, i-point-1
	}
	leadingZero := first < i && s.b[first] == '0' && i-first > 1 && point != first+1
	if count == 0 || count > 15 || point == first || point == i-1 || leadingZero || i < len(s.b) && s.b[i]|0x20 == 'e' {
		return n, false
	}
	n.end = i
	return n, true
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

// readFloat reads a number of that many bits.
func readFloat(s *scanner, bits int) (float64, error) {
	if n, ok := s.short(); ok && bits == 64 {
		s.i = n.end
		return n.float(), nil
	}
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
