package httpsource

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"golang.org/x/net/html/charset"
)

// record sets the cells of a row of texts. An empty one is null.
func (t *table) record(columns []*column, cells []string) error {
	if err := t.begin(); err != nil {
		return err
	}
	for i, text := range cells[:min(len(cells), len(columns))] {
		if columns[i] == nil || text == "" {
			continue
		}
		if err := t.add(columns[i], kindText, []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// header finds the columns by their names in the table's first row: nil for
// those that the query does not name.
func (t *table) header(cells []string) ([]*column, error) {
	columns := make([]*column, len(cells))
	for i, name := range names(cells) {
		if t.fixed {
			at := slices.IndexFunc(t.columns, func(c *column) bool { return c.Path == name })
			if at >= 0 {
				columns[i] = t.columns[at]
			}
			continue
		}
		c, err := t.column([]byte(name))
		if err != nil {
			return nil, err
		}
		columns[i] = c
	}
	return columns, nil
}

// readCSV reads a table whose first line has the names, separated by commas,
// or by what else the first line has: semicolons, tabs or bars.
func (q *question) readCSV(content io.Reader, t *table) error {
	buffered := bufio.NewReaderSize(content, 32<<10)
	r := csv.NewReader(buffered)
	r.Comma = separator(buffered)
	r.FieldsPerRecord, r.ReuseRecord, r.LazyQuotes = -1, true, true
	first, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return err
	}
	columns, err := t.header(first)
	if err != nil {
		return err
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := t.record(columns, cells); err != nil {
			return err
		}
	}
}

func separator(r *bufio.Reader) rune {
	start, _ := r.Peek(r.Size() / 2)
	line, _, _ := strings.Cut(string(start), "\n")
	best := ','
	for _, c := range []rune{';', '\t', '|'} {
		if strings.Count(line, string(c)) > strings.Count(line, string(best)) {
			best = c
		}
	}
	return best
}

// readXML reads rows that are the elements at rootPath, as in feed.entry;
// without one they are the children of the outermost element. The columns of
// a row are its attributes (@id), its children and theirs (author.name), and
// its own text (value).
func (q *question) readXML(content io.Reader, t *table) error {
	d := xml.NewDecoder(content)
	d.CharsetReader = charset.NewReaderLabel
	x := &xmlRow{t: t}
	var open steps
	found := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			open = append(open, token.Name.Local)
			if q.isRow(open) {
				found = true
				if err := x.read(d, token); err != nil {
					return err
				}
				open = open[:len(open)-1]
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
	if !found && len(q.root) > 0 {
		return q.noRoot("elements")
	}
	return nil
}

func (q *question) isRow(open steps) bool {
	if len(q.root) == 0 {
		return len(open) == 2
	}
	return slices.Equal(open, q.root)
}

// maxXMLDepth bounds the elements in one another below a row: their names make
// those of columns.
const maxXMLDepth = 100

// xmlRow reads one element after another as a row.
type xmlRow struct {
	t    *table
	open []string // below the row
}

func (x *xmlRow) read(d *xml.Decoder, row xml.StartElement) error {
	if err := x.t.begin(); err != nil {
		return err
	}
	x.open = x.open[:0]
	texts := [][]byte{nil}
	if err := x.attributes(row); err != nil {
		return err
	}
	for {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			x.open, texts = append(x.open, token.Name.Local), append(texts, nil)
			if len(x.open) > maxXMLDepth {
				return errors.New("XML nested too deep")
			}
			if err := x.attributes(token); err != nil {
				return err
			}
		case xml.CharData:
			texts[len(texts)-1] = append(texts[len(texts)-1], token...)
		case xml.EndElement:
			name := strings.Join(x.open, ".")
			if name == "" {
				name = "value"
			}
			if err := x.set(name, string(bytes.TrimSpace(texts[len(texts)-1]))); err != nil || len(x.open) == 0 {
				return err
			}
			x.open, texts = x.open[:len(x.open)-1], texts[:len(texts)-1]
		}
	}
}

func (x *xmlRow) attributes(element xml.StartElement) error {
	for _, attribute := range element.Attr {
		name := strings.Join(append(slices.Clone(x.open), "@"+attribute.Name.Local), ".")
		if err := x.set(name, attribute.Value); err != nil {
			return err
		}
	}
	return nil
}

func (x *xmlRow) set(name, text string) error {
	if text == "" {
		return nil
	}
	if !x.t.fixed {
		c, err := x.t.column([]byte(name))
		if err != nil {
			return err
		}
		return x.t.add(c, kindText, []byte(text))
	}
	for _, c := range x.t.columns {
		if c.Path == name {
			if err := x.t.add(c, kindText, []byte(text)); err != nil {
				return err
			}
		}
	}
	return nil
}
