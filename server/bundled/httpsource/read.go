package httpsource

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"

	"golang.org/x/net/html/charset"
)

// read reads the rows of a response into t.
func (q *question) read(response *http.Response, t *table, p *page) error {
	content := bufio.NewReaderSize(response.Body, 32<<10)
	format := q.Format
	if format == "" {
		format = formatOf(response, content)
	}
	err := q.readAs(format, response, content, t, p)
	if errors.Is(err, errFull) {
		return nil
	}
	return err
}

func (q *question) readAs(format string, response *http.Response, content *bufio.Reader, t *table, p *page) error {
	if start, _ := content.Peek(3); string(start) == "\ufeff" {
		_, _ = content.Discard(3)
	}
	switch format {
	case "json":
		return q.readJSON(content, t, p)
	case "ndjson":
		return q.readNDJSON(content, t)
	case "xml":
		return q.readXML(content, t)
	}
	// What is not UTF-8 says so in the content type, or by its bytes.
	decoded, err := charset.NewReader(content, response.Header.Get("Content-Type"))
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if decoded == nil {
		decoded = content
	}
	if format == "html" {
		return q.readHTML(decoded, t)
	}
	return q.readCSV(decoded, t)
}

// formatOf goes by the content type, then by the URL, then by the content.
func formatOf(response *http.Response, content *bufio.Reader) string {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch {
	case strings.Contains(kind, "ndjson"), strings.Contains(kind, "jsonl"), strings.Contains(kind, "json-seq"), kind == "application/stream+json":
		return "ndjson"
	case kind == "application/json", kind == "text/json", strings.HasSuffix(kind, "+json"):
		return "json"
	case kind == "text/csv", kind == "application/csv", kind == "text/tab-separated-values":
		return "csv"
	case kind == "text/html", kind == "application/xhtml+xml":
		return "html"
	case kind == "application/xml", kind == "text/xml", strings.HasSuffix(kind, "+xml"):
		return "xml"
	}
	if r := response.Request; r != nil {
		switch extension := strings.TrimPrefix(path.Ext(r.URL.Path), "."); extension {
		case "json", "csv", "ndjson", "xml", "html":
			return extension
		case "jsonl":
			return "ndjson"
		case "tsv":
			return "csv"
		}
	}
	start, _ := content.Peek(512)
	start = bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(start, []byte("\ufeff"))))
	switch {
	case bytes.HasPrefix(start, []byte("{")), bytes.HasPrefix(start, []byte("[")):
		return "json"
	case bytes.HasPrefix(start, []byte("<!doctype html")), bytes.HasPrefix(start, []byte("<html")), bytes.HasPrefix(start, []byte("<table")):
		return "html"
	case bytes.HasPrefix(start, []byte("<")):
		return "xml"
	}
	return "csv"
}

// noRoot says that the rows were not where the query says.
func (q *question) noRoot(what string) error {
	return fmt.Errorf("the response has no %s at rootPath %q", what, q.RootPath)
}
