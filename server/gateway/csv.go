package gateway

import (
	"io"
	"slices"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framecsv"
)

// writeCSV writes all frames as one table. Its columns are those of all frames,
// each heading once; a frame's cells are empty where it lacks a column, and its
// rows follow those of the frame before.
func writeCSV(out *answer, frames frame.Frames) error {
	if len(frames) == 1 {
		return framecsv.Write(out, frames[0])
	}
	headings := headingsOf(frames)
	if len(headings) == 0 {
		return nil
	}
	heading, length := spread(frame.New(""), headings), &counter{}
	if err := framecsv.Write(io.MultiWriter(out, length), heading); err != nil {
		return err
	}
	for _, f := range frames {
		if f.Rows() == 0 {
			continue
		}
		if err := framecsv.Write(&tail{out, length.n}, spread(f, headings)); err != nil {
			return err
		}
	}
	return nil
}

// headingsOf returns the headings of all frames, in order of appearance.
func headingsOf(frames frame.Frames) []string {
	var headings []string
	seen := map[string]bool{}
	for _, f := range frames {
		for _, heading := range f.Headings() {
			if !seen[heading] {
				headings = append(headings, heading)
			}
			seen[heading] = true
		}
	}
	return headings
}

// spread returns the frame with a column for each heading, nulls where it lacks
// one.
func spread(f *frame.Frame, headings []string) *frame.Frame {
	missing := frame.NewNullableField[bool]("", nil, nil)
	for range f.Rows() {
		missing.AppendNull()
	}
	wide, own := frame.New(f.Name), f.Headings()
	for _, heading := range headings {
		column := *missing
		if at := slices.Index(own, heading); at >= 0 {
			column = *f.Fields[at]
		}
		column.Name, column.Labels = heading, nil
		wide.Fields = append(wide.Fields, &column)
	}
	return wide
}

// counter counts what is written to it.
type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }

// tail leaves out the first bytes that are written to it: the line of headings.
type tail struct {
	w    io.Writer
	skip int
}

func (t *tail) Write(p []byte) (int, error) {
	skipped := min(t.skip, len(p))
	t.skip -= skipped
	_, err := t.w.Write(p[skipped:])
	return len(p), err
}
