package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/plugboard/plugboard/frame"
)

// writeTables writes each frame as a table of aligned columns.
func writeTables(w io.Writer, frames frame.Frames) error {
	out := bufio.NewWriter(w)
	for i, f := range frames {
		if i > 0 {
			out.WriteByte('\n')
		}
		if len(frames) > 1 {
			out.WriteString(printable(title(f)) + "\n")
		}
		writeTable(out, f)
	}
	return out.Flush()
}

func title(f *frame.Frame) string {
	if f.Name == "" {
		return f.RefID + ":"
	}
	return f.RefID + ": " + f.Name
}

func writeTable(out *bufio.Writer, f *frame.Frame) {
	if len(f.Fields) == 0 {
		out.WriteString("(no columns)\n")
		return
	}
	columns, headings := make([][]string, len(f.Fields)), f.Headings()
	widths := make([]int, len(f.Fields))
	for i, field := range f.Fields {
		columns[i] = tableColumn(field, headings[i])
		for _, cell := range columns[i] {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for row := range f.Rows() + 1 {
		var line strings.Builder
		for i, column := range columns {
			gap := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(column[row]))
			if f.Fields[i].Type().Kind() == "number" {
				line.WriteString(gap + column[row] + "  ")
			} else {
				line.WriteString(column[row] + gap + "  ")
			}
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// tableColumn returns a column's heading and cells.
func tableColumn(field *frame.Field, heading string) []string {
	cells := make([]string, 0, field.Len()+1)
	cells = append(cells, printable(heading))
	for row := range field.Len() {
		cell, ok := cellText(field, row)
		if !ok {
			cell = "null"
		}
		cells = append(cells, printable(cell))
	}
	return cells
}

// cellText writes a value, and returns false for a null.
func cellText(field *frame.Field, row int) (string, bool) {
	switch v := field.At(row).(type) {
	case nil:
		return "", false
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), true
	case float64:
		return floatText(v, 64), true
	case float32:
		return floatText(float64(v), 32), true
	case json.RawMessage:
		return string(v), true
	case frame.Enum:
		return enumText(field, v), true
	default:
		return fmt.Sprint(v), true
	}
}

// floatText writes as few digits as tell the number, without an exponent
// unless it is very large or small.
func floatText(v float64, bits int) string {
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.FormatFloat(v, 'g', -1, bits)
	}
	return strconv.FormatFloat(v, 'f', -1, bits)
}

func enumText(field *frame.Field, v frame.Enum) string {
	if c := field.Config; c != nil && c.Type != nil && c.Type.Enum != nil && int(v) < len(c.Type.Enum.Text) {
		return c.Type.Enum.Text[v]
	}
	return strconv.Itoa(int(v))
}

// printable quotes text that would move the cursor or change colours on a
// terminal.
func printable(text string) string {
	for _, r := range text {
		if !unicode.IsPrint(r) {
			quoted := strconv.Quote(text)
			return quoted[1 : len(quoted)-1]
		}
	}
	return text
}
