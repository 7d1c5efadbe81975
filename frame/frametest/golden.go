package frametest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
)

// Golden fails the test unless the frame's Text is what the file holds. With
// update it writes the file instead.
func Golden(t testing.TB, path string, got *frame.Frame, update bool) {
	t.Helper()
	text := Text(got)
	if update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(text, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		if g, w := lineAt(gotLines, i), lineAt(wantLines, i); g != w {
			t.Errorf("%s:%d: the frame differs:\n got %s\nwant %s", path, i+1, g, w)
			return
		}
	}
}

func lineAt(lines []string, i int) string {
	if i >= len(lines) {
		return "(no line)"
	}
	return lines[i]
}

// Text returns all that a frame holds, for people and for golden files: a line
// each for the frame and its fields, then a line per row. The cells of a row
// are separated by tabs; strings are quoted.
func Text(f *frame.Frame) string {
	var b strings.Builder
	fmt.Fprintf(&b, "frame %q", f.Name)
	if f.RefID != "" {
		fmt.Fprintf(&b, " refId %q", f.RefID)
	}
	if f.Meta != nil {
		fmt.Fprintf(&b, " meta %s", jsonOf(f.Meta))
	}
	b.WriteByte('\n')
	for _, field := range f.Fields {
		fmt.Fprintf(&b, "field %q %s", field.Name, kindOf(field))
		if field.Labels != nil {
			fmt.Fprintf(&b, " labels %s", jsonOf(field.Labels))
		}
		if field.Config != nil {
			fmt.Fprintf(&b, " config %s", jsonOf(field.Config))
		}
		b.WriteByte('\n')
	}
	for row := range f.Rows() {
		for i, field := range f.Fields {
			if i > 0 {
				b.WriteByte('\t')
			}
			if row < field.Len() {
				b.WriteString(cellText(field.At(row)))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func cellText(cell any) string {
	switch v := cell.(type) {
	case nil:
		return "null"
	case string:
		return strconv.Quote(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case json.RawMessage:
		return "json " + string(orNull(v))
	}
	return fmt.Sprint(cell)
}
