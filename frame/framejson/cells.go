package framejson

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/internal/shortest"
)

// column is one column being read into its field.
type column struct {
	s        *scanner
	f        *frame.Field
	entities *entityRows
	nanos    []int64
}

func (c *column) read() error {
	if c.entities != nil && c.f.Type() != frame.Float32 && c.f.Type() != frame.Float64 {
		return fmt.Errorf("entities in a field of %v", c.f.Type())
	}
	if c.nanos != nil && c.f.Type() != frame.Time {
		return fmt.Errorf("nanos in a field of %v", c.f.Type())
	}
	switch c.f.Type() {
	case frame.Int8:
		return readNumbers(c, quickInt[int8], intOf[int8](8))
	case frame.Int16:
		return readNumbers(c, quickInt[int16], intOf[int16](16))
	case frame.Int32:
		return readNumbers(c, quickInt[int32], intOf[int32](32))
	case frame.Int64:
		return readNumbers(c, quickInt[int64], intOf[int64](64))
	case frame.Uint8:
		return readNumbers(c, quickInt[uint8], uintOf[uint8](8))
	case frame.Uint16:
		return readNumbers(c, quickInt[uint16], uintOf[uint16](16))
	case frame.Uint32:
		return readNumbers(c, quickInt[uint32], uintOf[uint32](32))
	case frame.Uint64:
		return readNumbers(c, quickInt[uint64], uintOf[uint64](64))
	case frame.EnumType:
		return readNumbers(c, quickInt[frame.Enum], uintOf[frame.Enum](16))
	case frame.Float32:
		if c.entities == nil {
			return readNumbers(c, shortest.Parse32, floatOf[float32](32))
		}
		return readFloats[float32](c, 32)
	case frame.Float64:
		if c.entities == nil {
			return readNumbers(c, shortest.Parse64, floatOf[float64](64))
		}
		return readFloats[float64](c, 64)
	case frame.Bool:
		return readColumn(c, readBool)
	case frame.Time:
		if c.nanos == nil {
			return readNumbers(c, quickTime, readTime)
		}
		return c.readTimes()
	case frame.JSON:
		return readColumn(c, (*scanner).raw)
	default:
		return readColumn(c, readString)
	}
}

// readColumn reads an array of nulls and what cell reads.
func readColumn[T frame.Element](c *column, cell func(*scanner) (T, error)) error {
	return c.s.array(func(int) error {
		var v T
		if !c.s.null() {
			var err error
			if v, err = cell(c.s); err != nil {
				return err
			}
		} else if c.f.Nullable() {
			c.f.AppendNull()
			return nil
		}
		frame.Append(c.f, v)
		return nil
	})
}

// blockCells is how many numbers are read before they are appended together.
const blockCells = 256

// readNumbers is readColumn for most numbers: quick reads the usual cell at
// b[i:], and returns where it ends; slow reads every other.
func readNumbers[T frame.Element](c *column, quick func(b []byte, i int) (T, int, bool), slow func(*scanner) (T, error)) error {
	s := c.s
	var block [blockCells]T
	n := 0
	defer func() { frame.Append(c.f, block[:n]...) }() // an error counts the rows before it
	if err := s.take('['); err != nil {
		return err
	}
	if s.peek() == ']' {
		s.i++
		return nil
	}
	for {
		if n == len(block) {
			frame.Append(c.f, block[:]...)
			n = 0
		}
		v, end, ok := quick(s.b, s.i)
		switch {
		case ok:
			s.i = end
		case s.null():
			if c.f.Nullable() {
				frame.Append(c.f, block[:n]...)
				n = -1
				c.f.AppendNull()
			}
		default:
			var err error
			if v, err = slow(s); err != nil {
				return err
			}
		}
		if n >= 0 {
			block[n] = v
		}
		n++
		if s.i < len(s.b) && s.b[s.i] == ',' {
			s.i++
			continue
		}
		if s.peek() == ']' {
			s.i++
			return nil
		}
		if err := s.take(','); err != nil {
			return err
		}
	}
}

// readFloats reads a column of numbers, and puts the entities in their place.
func readFloats[T float32 | float64](c *column, bits int) error {
	special, err := c.entities.values()
	if err != nil {
		return err
	}
	err = c.s.array(func(i int) error {
		null := c.s.null()
		v, entity := special[i]
		switch {
		case entity && !null:
			return errors.New("an entity where there is a number")
		case null && !entity && c.f.Nullable():
			c.f.AppendNull()
			return nil
		case !null:
			var err error
			if v, err = readFloat(c.s, bits); err != nil {
				return err
			}
		}
		frame.Append(c.f, T(v))
		return nil
	})
	for i := range special {
		if err == nil && i >= c.f.Len() {
			return fmt.Errorf("an entity in row %d, behind the last", i)
		}
	}
	return err
}

// values returns the entities by row.
func (e *entityRows) values() (map[int]float64, error) {
	if e == nil {
		return nil, nil
	}
	values := map[int]float64{}
	for _, kind := range []struct {
		rows  []int
		value float64
	}{{e.NaN, math.NaN()}, {e.Inf, math.Inf(1)}, {e.NegInf, math.Inf(-1)}} {
		for _, row := range kind.rows {
			if row < 0 {
				return nil, fmt.Errorf("an entity in row %d", row)
			}
			values[row] = kind.value
		}
	}
	return values, nil
}

// readTimes reads a column of milliseconds, and adds the nanoseconds beside it.
func (c *column) readTimes() error {
	row := -1
	millis := intOf[int64](64)
	err := readColumn(c, func(s *scanner) (time.Time, error) {
		row = c.f.Len()
		ms, err := millis(s)
		if err != nil {
			return time.Time{}, err
		}
		t := time.UnixMilli(ms)
		if row < len(c.nanos) {
			t = t.Add(time.Duration(c.nanos[row]))
		}
		return t, nil
	})
	if err == nil && len(c.nanos) > c.f.Len() {
		return fmt.Errorf("%d nanos for %d rows", len(c.nanos), c.f.Len())
	}
	return err
}

// quickTime reads the milliseconds at b[i:] if they are usual ones.
func quickTime(b []byte, i int) (time.Time, int, bool) {
	ms, end, ok := shortest.ParseInt(b, i)
	return time.UnixMilli(ms), end, ok
}

func readTime(s *scanner) (time.Time, error) {
	ms, err := intOf[int64](64)(s)
	return time.UnixMilli(ms), err
}

func readBool(s *scanner) (bool, error) {
	word, err := s.skip()
	switch {
	case err != nil:
		return false, err
	case string(word) == "true":
		return true, nil
	case string(word) == "false":
		return false, nil
	}
	return false, errors.New("neither true nor false")
}

func readString(s *scanner) (string, error) {
	b, err := s.str()
	if err != nil {
		return "", err
	}
	if !utf8.Valid(b) {
		b = []byte(string([]rune(string(b))))
	}
	return text(b), nil
}
