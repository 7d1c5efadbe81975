package httpsource

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/bundled/jsonscan"
)

// node is a place in JSON on the way to what is wanted.
type node struct {
	children map[string]*node
	// column takes the value here; visit reads it.
	columns []*column
	visit   func() error
}

func (n *node) at(p steps) *node {
	for _, step := range p {
		if n.children == nil {
			n.children = map[string]*node{}
		}
		if n.children[step] == nil {
			n.children[step] = &node{}
		}
		n = n.children[step]
	}
	return n
}

// jsonReader reads JSON as it arrives. Rows are the elements of the array at
// rootPath; an object there is a single row, and so is any other value.
type jsonReader struct {
	*jsonscan.Scanner
	t *table
	// row is the tree of the columns that the query names.
	row *node
}

func newJSONReader(r io.Reader, t *table) (*jsonReader, error) {
	j := &jsonReader{Scanner: jsonscan.New(r), t: t, row: &node{}}
	if !t.fixed {
		return j, nil
	}
	for i, c := range t.columns {
		p, err := parsePath(c.Path)
		if err != nil {
			return nil, plugin.BadRequest("query: columns[%d].path: %w", i, err)
		}
		place := j.row.at(p)
		place.columns = append(place.columns, c)
	}
	return j, nil
}

func (q *question) readJSON(content io.Reader, t *table, p *page) error {
	j, err := newJSONReader(content, t)
	if err != nil {
		return err
	}
	found := false
	document := &node{}
	document.at(q.root).visit = func() error {
		found = true
		return j.rows()
	}
	if q.Pagination != nil && q.Pagination.Type == "cursor" {
		if err := j.cursor(document, q, p); err != nil {
			return err
		}
	}
	if err := j.walk(document); err != nil {
		return err
	}
	if !found {
		return q.noRoot("rows")
	}
	return j.End()
}

// cursor makes the walk keep the cursor.
func (j *jsonReader) cursor(document *node, q *question, p *page) error {
	at, err := parsePath(q.Pagination.CursorPath)
	if err != nil {
		return err
	}
	place := document.at(at)
	if place.visit != nil || len(place.children) > 0 || within(at, q.root) {
		return plugin.BadRequest("query: pagination.cursorPath %q lies among the rows", q.Pagination.CursorPath)
	}
	place.visit = func() error {
		_, text, err := j.value()
		p.cursor = string(text)
		return err
	}
	return nil
}

func within(p, root steps) bool {
	if len(p) < len(root) {
		return false
	}
	for i := range root {
		if p[i] != root[i] {
			return false
		}
	}
	return true
}

// walk goes down to what n leads to, and skips the rest.
func (j *jsonReader) walk(n *node) error {
	if n.visit != nil {
		return n.visit()
	}
	return j.descend(n, j.walk)
}

// descend calls into for the members, or elements, that n has children for.
func (j *jsonReader) descend(n *node, into func(*node) error) error {
	next, err := j.Kind()
	if err != nil {
		return err
	}
	switch next {
	case jsonscan.Object:
		return j.Object(func(key []byte) error {
			if child := n.children[string(key)]; child != nil {
				return into(child)
			}
			return j.Skip()
		})
	case jsonscan.Array:
		i := -1
		return j.Array(func() error {
			i++
			if child := n.children[strconv.Itoa(i)]; child != nil {
				return into(child)
			}
			return j.Skip()
		})
	}
	return j.Skip()
}

func (j *jsonReader) rows() error {
	next, err := j.Kind()
	switch {
	case err != nil:
		return err
	case next == jsonscan.Array:
		return j.Array(j.oneRow)
	case next == jsonscan.Null:
		return j.Skip()
	}
	return j.oneRow()
}

func (j *jsonReader) oneRow() error {
	if err := j.t.begin(); err != nil {
		return err
	}
	if j.t.fixed {
		return j.named(j.row)
	}
	next, err := j.Kind()
	if err != nil {
		return err
	}
	switch next {
	case jsonscan.Object:
		return j.Object(func(key []byte) error {
			c, err := j.t.column(key)
			if err != nil {
				return err
			}
			return j.cell(c)
		})
	case jsonscan.Array:
		i := -1
		return j.Array(func() error {
			i++
			c, err := j.t.column([]byte(strconv.Itoa(i)))
			if err != nil {
				return err
			}
			return j.cell(c)
		})
	}
	c, err := j.t.column([]byte("value"))
	if err != nil {
		return err
	}
	return j.cell(c)
}

// named takes the columns that the query names out of a row. A value that is
// itself a column is not looked into for others.
func (j *jsonReader) named(n *node) error {
	if len(n.columns) > 0 {
		return j.cell(n.columns...)
	}
	return j.descend(n, j.named)
}

// cell sets the value in these columns.
func (j *jsonReader) cell(columns ...*column) error {
	k, text, err := j.value()
	if err != nil || k == 0 {
		return err
	}
	for _, c := range columns {
		if err := j.t.add(c, k, text); err != nil {
			return err
		}
	}
	return nil
}

// value reads a value as a cell's kind and text; null has no kind.
func (j *jsonReader) value() (kind, []byte, error) {
	next, err := j.Kind()
	if err != nil {
		return 0, nil, err
	}
	switch next {
	case jsonscan.String:
		text, err := j.Text()
		return kindString, text, err
	case jsonscan.Null:
		return 0, nil, j.Skip()
	case jsonscan.Number:
		text, err := j.Raw()
		return kindNumber, text, err
	case jsonscan.Bool:
		text, err := j.Raw()
		return kindBool, text, err
	}
	raw, err := j.Raw()
	if err != nil {
		return 0, nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return 0, nil, err
	}
	return kindJSON, compact.Bytes(), nil
}

// readNDJSON reads JSON values one after another, a row each; with a rootPath
// the rows are there in each.
func (q *question) readNDJSON(content io.Reader, t *table) error {
	j, err := newJSONReader(content, t)
	if err != nil {
		return err
	}
	document := &node{}
	document.at(q.root).visit = j.rows
	if len(q.root) == 0 {
		document.visit = j.oneRow
	}
	for {
		if _, err := j.Kind(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := j.walk(document); err != nil {
			return err
		}
	}
}
