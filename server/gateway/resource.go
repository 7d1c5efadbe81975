package gateway

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/datasource"
)

// resourcePath is a URL path of the API that belongs to a plugin.
type resourcePath struct {
	source   datasource.Key // of a data source
	pluginID string         // or of a plugin itself
	wildcard string         // what follows "resources/", still escaped
}

// parseResourcePath reads an escaped URL path; the uid or id may be escaped
// too.
func parseResourcePath(path string) (resourcePath, bool) {
	var name string
	rest, ofSource := strings.CutPrefix(path, "/api/datasources/")
	rest, byUID := strings.CutPrefix(rest, "uid/")
	if !ofSource {
		var ok bool
		if rest, ok = strings.CutPrefix(path, "/api/plugins/"); !ok {
			return resourcePath{}, false
		}
	}
	name, rest, _ = strings.Cut(rest, "/")
	head, wildcard, _ := strings.Cut(rest, "/")
	if name, err := url.PathUnescape(name); err == nil && name != "" && head == "resources" {
		switch id, err := strconv.ParseInt(name, 10, 64); {
		case !ofSource:
			return resourcePath{pluginID: name, wildcard: wildcard}, true
		case byUID:
			return resourcePath{source: datasource.ByUID(name), wildcard: wildcard}, true
		case err == nil:
			return resourcePath{source: datasource.ByID(id), wildcard: wildcard}, true
		}
	}
	return resourcePath{}, false
}

// resource answers …/resources/*: the plugin gets the request, the client what
// the plugin answers, message by message.
func (g *Gateway) resource(w http.ResponseWriter, r *http.Request) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch:
	default:
		w.Header().Set("Allow", "GET, HEAD, POST, PUT, DELETE, PATCH")
		return &failure{status: http.StatusMethodNotAllowed, message: "Method not allowed: plugins are called with GET, HEAD, POST, PUT, DELETE or PATCH, not " + r.Method}
	}
	where, _ := parseResourcePath(r.URL.EscapedPath())
	path, location, err := resourceLocation(where.wildcard, r.URL.RawQuery)
	if err != nil {
		return badRequest("bad request data: %w", err)
	}
	t, err := g.resourceTarget(r, where)
	if err != nil {
		return err
	}
	body, err := g.readBody(w, r)
	if err != nil {
		return err
	}
	answer, start := resourceAnswer{w: w, flush: http.NewResponseController(w).Flush}, time.Now()
	err = g.host.CallResource(r.Context(), &plugin.ResourceRequest{
		Context: t.Context,
		Path:    path,
		URL:     location,
		Method:  r.Method,
		Header:  resourceHeader(r, t),
		Body:    body,
	}, answer.send)
	g.observe(callResource, t, start, err)
	switch {
	case err != nil && answer.begun:
		return broken{t.failed(callResource, err)}
	case err != nil:
		return t.failed(callResource, err)
	case !answer.begun:
		return &failure{
			status: http.StatusInternalServerError, id: "web.missingWrite", source: plugin.SourcePlugin,
			message: fmt.Sprintf("Internal server error: %s did not answer anything", t),
		}
	}
	return nil
}

func (g *Gateway) resourceTarget(r *http.Request, where resourcePath) (target, error) {
	if where.pluginID != "" {
		return g.pluginTarget(r, where.pluginID)
	}
	return g.sourceTarget(r, where.source)
}

// resourceLocation returns the path and URL that a plugin is called with. Like
// Grafana's, the path is unescaped once by the router and once more by parsing
// it as a URL, and ends in no slash; nothing else is cleaned. One that would
// climb out of where a plugin puts it, at any depth of escaping, is refused.
func resourceLocation(wildcard, query string) (path, location string, err error) {
	raw, err := url.PathUnescape(strings.TrimSuffix(wildcard, "/"))
	if err != nil {
		return "", "", fmt.Errorf("the resource path: %w", err)
	}
	if path, err = url.PathUnescape(raw); err != nil {
		return "", "", fmt.Errorf("the resource path: %w", err)
	}
	if !utf8.ValidString(path) {
		return "", "", fmt.Errorf("the resource path %q is not UTF-8", path)
	}
	if climbs(path) {
		return "", "", fmt.Errorf(`the resource path %q has a ".." in it, which is not passed on to plugins`, path)
	}
	location = (&url.URL{Path: path, RawPath: raw}).EscapedPath()
	head, rest, more := strings.Cut(location, "/")
	location = strings.ReplaceAll(head, ":", "%3A") // else it would be read as a scheme
	if more {
		location += "/" + rest
	}
	if query != "" {
		location += "?" + query
	}
	return path, location, nil
}

// climbs tells whether a path has a segment ".." now or after being unescaped
// again, and again. Some servers read "..;x" as that, too.
func climbs(path string) bool {
	for range 8 {
		for segment := range strings.FieldsFuncSeq(path, func(c rune) bool { return c == '/' || c == '\\' }) {
			if name, _, _ := strings.Cut(segment, ";"); name == ".." {
				return true
			}
		}
		unescaped, err := url.PathUnescape(path)
		if err != nil || unescaped == path {
			return false
		}
		path = unescaped
	}
	return true
}

// resourceAnswer writes a plugin's answer as it arrives.
type resourceAnswer struct {
	w     http.ResponseWriter
	flush func() error
	begun bool
}

func (a *resourceAnswer) send(message plugin.ResourceResponse) error {
	if !a.begun {
		if err := a.begin(message); err != nil {
			return err
		}
	}
	if len(message.Body) > 0 {
		if _, err := a.w.Write(message.Body); err != nil && !errors.Is(err, http.ErrBodyNotAllowed) {
			return err
		}
	}
	return a.flush()
}

// begin writes the status and the headers, which only the first message has.
func (a *resourceAnswer) begin(message plugin.ResourceResponse) error {
	status := message.Status
	if status == 0 {
		status = http.StatusOK
	}
	if status < 200 || status > 599 {
		return &plugin.Error{
			Message: fmt.Sprintf("it answered with the status %d, which is none of HTTP's", status),
			Source:  plugin.SourcePlugin, Status: http.StatusBadGateway,
		}
	}
	a.begun = true
	removeHopHeaders(message.Header)
	if !credible(message) {
		message.Header.Del("Content-Length")
	}
	header := a.w.Header()
	maps.Copy(header, message.Header)
	if header.Get("Content-Type") == "" && status != http.StatusNoContent && status != http.StatusNotModified {
		header.Set("Content-Type", "application/json")
	}
	header.Set("Content-Security-Policy", "sandbox")
	header.Set("X-Content-Type-Options", "nosniff")
	a.w.WriteHeader(status)
	return nil
}

// credible tells whether the length that an answer claims to have is one, and
// is not passed already by the first message: a handler that forwards somebody
// else's headers may have forwarded that of another body. An answer that turns
// out to be shorter is cut off like any that breaks.
func credible(first plugin.ResourceResponse) bool {
	lengths := first.Header.Values("Content-Length")
	if len(lengths) != 1 {
		return false
	}
	length, err := strconv.ParseInt(lengths[0], 10, 64)
	return err == nil && length >= int64(len(first.Body))
}
