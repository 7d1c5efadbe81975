// Package console serves the web console: pages for people, whose scripts talk
// to the HTTP API beside them.
package console

import (
	"cmp"
	"crypto/rand"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// dist is what make console has built from web/; unbuilt.html alone if it was
// not called.
//
//go:embed dist
var dist embed.FS

// home is the page that "/" leads to by default.
const home = "/home"

// pages are the first segments of the paths of pages. All of them are the same
// document, whose script draws what the path says.
var pages = []string{"home", "explore", "datasources", "plugins", "live", "resources", "login"}

// assets is the folder of files whose names change with what is in them.
const assets = "/assets/"

// licenses is the file with those of what the scripts are bundled with.
const licenses = "/licenses.txt"

// noncePlace is where the document has the nonce of its style sheets.
const noncePlace = "NONCE"

// Config says how the console is served. The zero Config does.
type Config struct {
	// Landing is the path, perhaps with a query string, that "/" leads to;
	// "/home" if empty.
	Landing string
}

// Console serves the pages, and leaves all else to the API.
type Console struct {
	api      http.Handler
	landing  string
	files    fs.FS
	document string // empty if the console is not built
}

// New returns the console in front of the API.
func New(c Config, api http.Handler) *Console {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is a constant
	}
	return open(c, api, files)
}

func open(c Config, api http.Handler, files fs.FS) *Console {
	document, err := fs.ReadFile(files, "index.html")
	if err != nil {
		document = nil
	}
	return &Console{api: api, landing: cmp.Or(c.Landing, home), files: files, document: string(document)}
}

// ServeHTTP answers GET and HEAD of a page, of a file of one and of "/". All
// other requests are the API's.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		c.api.ServeHTTP(w, r)
		return
	}
	switch at := r.URL.Path; {
	case at == "/":
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, c.landing, http.StatusFound)
	case isPage(at):
		c.servePage(w)
	case strings.HasPrefix(at, assets):
		c.serveAsset(w, r)
	case at == licenses:
		http.ServeFileFS(w, r, c.files, licenses[1:])
	default:
		c.api.ServeHTTP(w, r)
	}
}

func isPage(at string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(at, "/"), "/")
	return path.Clean(at) == strings.TrimSuffix(at, "/") && slices.Contains(pages, first)
}

// servePage answers with the document. Its policy lets scripts and style sheets
// in that are ours, and style sheets that our scripts make; nothing leaves for
// another host, and no other page may frame it.
func (c *Console) servePage(w http.ResponseWriter) {
	document := c.document
	if document == "" {
		text, _ := fs.ReadFile(c.files, "unbuilt.html") // committed, embedded
		document = string(text)
	}
	nonce := rand.Text()
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-"+nonce+"'; "+
		"img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; frame-src blob:; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	_, _ = w.Write([]byte(strings.ReplaceAll(document, noncePlace, nonce))) // the client has gone away, or not
}

// encodings are the forms that assets are kept in beside their own, best first.
var encodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

// serveAsset answers with a file of the console, compressed as the client likes.
// Its name changes with it, so it may be kept for ever.
func (c *Console) serveAsset(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if !fs.ValidPath(name) || !isFile(c.files, name) {
		http.NotFound(w, r) // a page that an older server gave asks for its own
		return
	}
	header := w.Header()
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Type", contentType(name))
	header.Set("Vary", "Accept-Encoding")
	for _, encoding := range encodings {
		if accepts(r, encoding.name) && isFile(c.files, name+encoding.suffix) {
			header.Set("Content-Encoding", encoding.name)
			name += encoding.suffix
			break
		}
	}
	text, err := fs.ReadFile(c.files, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(text) // the client has gone away, or not
}

func isFile(files fs.FS, name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && info.Mode().IsRegular()
}

// contentType does without the tables of the machine, which differ.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return "application/octet-stream"
	}
}

// accepts tells whether a request accepts an encoding.
func accepts(r *http.Request, encoding string) bool {
	for item := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, parameter, _ := strings.Cut(item, ";")
		if strings.TrimSpace(name) == encoding {
			quality, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(parameter), "q="), 64)
			return err != nil || quality > 0
		}
	}
	return false
}
