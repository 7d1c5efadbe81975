package httpsource

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/httpclient"
)

// pagination says how to ask for more than one page.
type pagination struct {
	// Type is page, offset, cursor or link.
	Type string `json:"type" title:"Kind" enum:"page,offset,cursor,link" plugboard:"required"`
	// Param is the parameter that counts pages or rows, or takes the cursor;
	// default page, offset or cursor.
	Param string `json:"param" title:"Parameter" description:"Counts pages or rows, or takes the cursor."`
	// Start is its first value; default 1 for page, 0 for offset.
	Start *int `json:"start" title:"First value"`
	// SizeParam takes Size, the rows of a page. A page with fewer is the last;
	// without Size, one that is empty.
	SizeParam string `json:"sizeParam" title:"Size parameter"`
	Size      int    `json:"size" title:"Rows of a page"`
	// CursorPath is where in a JSON response the next cursor is.
	CursorPath string `json:"cursorPath" title:"Cursor" description:"Where in a JSON response the next cursor is."`
	// MaxPages is the most pages to ask for; default 10, at most 1000.
	MaxPages int `json:"maxPages" title:"Most pages" description:"10 if empty, at most 1000."`
}

const (
	defaultPages = 10
	mostPages    = 1000
)

func (p *pagination) check() error {
	if p == nil {
		return nil
	}
	switch {
	case p.Type == "cursor" && p.CursorPath == "":
		return errors.New("cursorPath is missing")
	case p.MaxPages < 0 || p.MaxPages > mostPages:
		return fmt.Errorf("maxPages is not between 1 and %d", mostPages)
	case p.Size < 0:
		return errors.New("size is below 0")
	case p.SizeParam != "" && p.Size == 0:
		return errors.New("size is missing: sizeParam has nothing to take")
	}
	if _, err := parsePath(p.CursorPath); err != nil {
		return fmt.Errorf("cursorPath: %w", err)
	}
	return nil
}

// walk is where one query is among the pages.
type walk struct {
	*pagination
	number int // of pages or rows, for page and offset
	cursor string
}

func newWalk(p *pagination) *walk {
	if p == nil {
		p = &pagination{MaxPages: 1}
	}
	w := &walk{pagination: p}
	if p.Type == "page" {
		w.number = 1
	}
	if p.Start != nil {
		w.number = *p.Start
	}
	return w
}

func (w *walk) limit() int {
	if w.MaxPages == 0 {
		return defaultPages
	}
	return w.MaxPages
}

// first is the URL of the first page.
func (w *walk) first(u *url.URL, q *question) *url.URL {
	query := u.Query()
	for name, values := range q.Params {
		query[name] = values
	}
	if w.SizeParam != "" {
		query.Set(w.SizeParam, strconv.Itoa(w.Size))
	}
	u.RawQuery = query.Encode()
	return w.turn(u)
}

// turn sets what tells this page from others.
func (w *walk) turn(u *url.URL) *url.URL {
	value, name := "", w.Param
	switch w.Type {
	case "page", "offset":
		value = strconv.Itoa(w.number)
	case "cursor":
		value = w.cursor
	}
	if value == "" {
		return u
	}
	if name == "" {
		name = w.Type
	}
	next, query := *u, u.Query()
	query.Set(name, value)
	next.RawQuery = query.Encode()
	return &next
}

// next is the URL of the page after one with so many rows, nil if that was the
// last.
func (w *walk) next(s *source, u *url.URL, response *http.Response, p *page) (*url.URL, error) {
	switch w.Type {
	case "":
		return nil, nil
	case "link":
		link := nextLink(response.Header.Values("Link"))
		if link == "" {
			return nil, nil
		}
		target, err := response.Request.URL.Parse(link)
		if err != nil {
			return nil, errors.New("the Link header's next is not a URL")
		}
		return s.under(target.String())
	case "cursor":
		if p.cursor == "" || p.cursor == w.cursor {
			return nil, nil
		}
		w.cursor = p.cursor
		return w.turn(u), nil
	}
	if p.rows == 0 || p.rows < w.Size {
		return nil, nil
	}
	if w.Type == "page" {
		w.number++
	} else {
		w.number += p.rows
	}
	return w.turn(u), nil
}

// nextLink is the target of rel="next" among Link headers (RFC 8288).
func nextLink(headers []string) string {
	for _, header := range headers {
		for header != "" {
			_, after, found := strings.Cut(header, "<")
			target, after, closed := strings.Cut(after, ">")
			if !found || !closed {
				break
			}
			params, rest, _ := strings.Cut(after, "<") // the next link, if there is one
			for param := range strings.SplitSeq(strings.NewReplacer(",", ";").Replace(params), ";") {
				key, value, _ := strings.Cut(strings.TrimSpace(param), "=")
				if strings.EqualFold(key, "rel") && strings.EqualFold(strings.Trim(value, `"`), "next") {
					return target
				}
			}
			header = ""
			if rest != "" {
				header = "<" + rest
			}
		}
	}
	return ""
}

// page is what was read of one response.
type page struct {
	rows   int
	cursor string
}

// readPages reads all pages into t, and returns what was asked for: method and
// URL, without the query string.
func (s *source) readPages(ctx context.Context, q *question, t *table) (where string, err error) {
	base, err := s.under(q.URL)
	if err != nil {
		return "", plugin.BadRequest("query: %w", err)
	}
	w := newWalk(q.Pagination)
	u := w.first(base, q)
	where = q.Method + " " + httpclient.SafeURL(u)
	for n := 1; u != nil; n++ {
		if n > w.limit() {
			t.notice(fmt.Sprintf("only the first %d pages are shown: the query's pagination.maxPages", w.limit()))
			break
		}
		if u, err = s.readPage(ctx, q, w, u, t); err != nil {
			return where, err
		}
		if t.full {
			break
		}
	}
	return where, nil
}

// readPage reads one page and returns the URL of the next.
func (s *source) readPage(ctx context.Context, q *question, w *walk, u *url.URL, t *table) (*url.URL, error) {
	response, err := s.get(ctx, q, u)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	before := t.rows
	p := &page{}
	if err := q.read(response, t, p); err != nil {
		return nil, notRead(q, u, err)
	}
	p.rows = t.rows - before
	if t.full {
		return nil, nil
	}
	next, err := w.next(s, u, response, p)
	if err != nil {
		return nil, notRead(q, u, err)
	}
	return next, nil
}

// notRead says of which response something is wrong, if that is not yet said.
func notRead(q *question, u *url.URL, err error) error {
	if _, told := errors.AsType[*plugin.Error](err); told {
		return err
	}
	return plugin.Downstream(fmt.Errorf("%s %s: %w", q.Method, httpclient.SafeURL(u), err))
}
