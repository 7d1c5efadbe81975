package httpsource

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// readHTML reads a table of a page, its first row the names. rootPath says
// which: "#id", ".class" or a number, counted from 1; else it is the first.
func (q *question) readHTML(content io.Reader, t *table) error {
	document, err := html.Parse(content)
	if err != nil {
		return err
	}
	found := q.findTable(document)
	if found == nil {
		return q.noRoot("table")
	}
	var columns []*column
	for n := range found.Descendants() {
		if n.DataAtom != atom.Tr || enclosing(n, atom.Table) != found {
			continue
		}
		cells := cellsOf(n)
		switch {
		case len(cells) == 0:
		case columns == nil:
			if columns, err = t.header(cells); err != nil {
				return err
			}
		default:
			if err := t.record(columns, cells); err != nil {
				return err
			}
		}
	}
	return nil
}

func (q *question) findTable(document *html.Node) *html.Node {
	number := 1
	if n, err := strconv.Atoi(q.RootPath); err == nil {
		number = n
	}
	for n := range document.Descendants() {
		if n.DataAtom != atom.Table || !q.selects(n) {
			continue
		}
		if number--; number == 0 {
			return n
		}
	}
	return nil
}

func (q *question) selects(n *html.Node) bool {
	if id, ok := strings.CutPrefix(q.RootPath, "#"); ok {
		return attribute(n, "id") == id
	}
	if class, ok := strings.CutPrefix(q.RootPath, "."); ok {
		return slices.Contains(strings.Fields(attribute(n, "class")), class)
	}
	return true
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func enclosing(n *html.Node, what atom.Atom) *html.Node {
	for above := range n.Ancestors() {
		if above.DataAtom == what {
			return above
		}
	}
	return nil
}

// maxSpan bounds how many columns a cell may cover.
const maxSpan = 100

// cellsOf are the texts of a row; one that covers several columns is followed
// by empty ones.
func cellsOf(row *html.Node) []string {
	var cells []string
	for n := range row.ChildNodes() {
		if n.DataAtom != atom.Td && n.DataAtom != atom.Th {
			continue
		}
		cells = append(cells, textOf(n))
		span, _ := strconv.Atoi(attribute(n, "colspan"))
		for range min(span, maxSpan) - 1 {
			cells = append(cells, "")
		}
	}
	return cells
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for below := range n.Descendants() {
		switch {
		case below.Type == html.TextNode && !hidden(below):
			b.WriteString(below.Data)
		case below.DataAtom == atom.Br:
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func hidden(text *html.Node) bool {
	return text.Parent.DataAtom == atom.Script || text.Parent.DataAtom == atom.Style
}

// checkHTMLRoot tells whether a rootPath selects tables.
func checkHTMLRoot(root string) error {
	if root == "" || strings.HasPrefix(root, "#") || strings.HasPrefix(root, ".") {
		return nil
	}
	if n, err := strconv.Atoi(root); err != nil || n < 1 {
		return fmt.Errorf("rootPath %q is none of #id, .class and a number", root)
	}
	return nil
}
