// Command app is an app plugin about prime numbers: a page, JSON, an image and
// a download that is on its way before it is complete.
package main

import (
	"bufio"
	"context"
	_ "embed" // page.html
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strconv"

	"github.com/plugboard/plugboard/plugin"
)

func main() { plugin.Main(plugin.App(open)) }

type settings struct {
	// Limit is how far anybody may count; 0 means ten million.
	Limit int `json:"limit"`
}

//go:embed page.html
var page []byte

// primes is the app of one tenant. The mux makes it an http.Handler: its routes
// are the app's resources.
type primes struct {
	*http.ServeMux
	limit int
}

func open(_ context.Context, s plugin.Settings[settings]) (*primes, error) {
	if s.Values.Limit < 0 {
		return nil, plugin.BadRequest("settings: limit must not be negative")
	}
	p := &primes{http.NewServeMux(), s.Values.Limit}
	if p.limit == 0 {
		p.limit = 10_000_000
	}
	p.HandleFunc("GET /{$}", p.page)
	p.HandleFunc("GET /primes", p.list)
	p.HandleFunc("GET /primes.txt", p.download)
	p.HandleFunc("GET /spiral.png", p.spiral)
	return p, nil
}

func (p *primes) CheckHealth(context.Context) (plugin.Health, error) {
	return plugin.Health{Message: fmt.Sprint("counting to ", p.limit)}, nil
}

// page answers with a file in the binary. What it links to is relative: where
// an app's resources are is for the host to say.
func (p *primes) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(page) // the caller has gone
}

func (p *primes) list(w http.ResponseWriter, r *http.Request) {
	below, ok := p.number(w, r, "below", min(p.limit, 10_000))
	if !ok {
		return
	}
	found := []int{}
	for n, composite := range sieve(below) {
		if !composite {
			found = append(found, n)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(found)
}

// download sends 64 KiB at a time. The host passes them on as they come, and
// makes the plugin wait while the caller is slow.
func (p *primes) download(w http.ResponseWriter, r *http.Request) {
	below, ok := p.number(w, r, "below", p.limit)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="primes.txt"`)
	out := bufio.NewWriterSize(flusher{w, http.NewResponseController(w)}, 64<<10)
	for n, composite := range sieve(below) {
		if composite {
			continue
		}
		if _, err := fmt.Fprintln(out, n); err != nil {
			return // the caller has gone
		}
	}
	_ = out.Flush()
}

// flusher sends what is written at once.
type flusher struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (f flusher) Write(b []byte) (int, error) {
	n, err := f.ResponseWriter.Write(b)
	if err == nil {
		err = f.control.Flush()
	}
	return n, err
}

// spiral draws the numbers from the middle outwards, the primes dark: see how
// they like diagonals.
func (p *primes) spiral(w http.ResponseWriter, r *http.Request) {
	size, ok := p.number(w, r, "size", 1001)
	if !ok {
		return
	}
	picture := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.RGBA{R: 0x1f, G: 0x4e, B: 0x9e, A: 0xff}})
	composite := sieve(size*size + 1)
	at, step := image.Pt((size-1)/2, size/2), image.Pt(1, 0)
	for n, side, left := 1, 1, 2; n <= size*size; side, left = side+1, 2 {
		for ; left > 0; left-- {
			for range side {
				if n <= size*size && !composite[n] {
					picture.SetColorIndex(at.X, at.Y, 1)
				}
				n, at = n+1, at.Add(step)
			}
			step = image.Pt(step.Y, -step.X)
		}
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "max-age=86400") // primes stay where they are
	_ = png.Encode(w, picture)
}

// number reads a parameter from 1 to limit, 100 if it is missing. If it cannot
// be right, number has answered.
func (p *primes) number(w http.ResponseWriter, r *http.Request, name string, limit int) (int, bool) {
	text := r.FormValue(name)
	if text == "" {
		return min(100, limit), true
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > limit {
		http.Error(w, fmt.Sprintf("%s must be a number from 1 to %d", name, limit), http.StatusBadRequest)
		return 0, false
	}
	return n, true
}

// sieve tells of each number below n whether it is no prime.
func sieve(n int) []bool {
	composite := make([]bool, max(n, 2))
	composite[0], composite[1] = true, true
	for i := 2; i*i < n; i++ {
		if composite[i] {
			continue
		}
		for multiple := i * i; multiple < n; multiple += i {
			composite[multiple] = true
		}
	}
	return composite
}
