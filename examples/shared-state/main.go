// Command shared-state is a data source that takes numbers apart, and shows
// where state may live: what all data sources and users share, and a cache
// that belongs to one data source.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// main makes what lives as long as the process. Every data source gets hold of
// it because open is its method: there is no global.
func main() { plugin.Main(plugin.DataSource(newVisitors().open)) }

type settings struct {
	// CacheSize is how many answers are kept; 0 means 1000.
	CacheSize int `json:"cacheSize"`
}

type model struct {
	Number int64 `json:"number"`
}

// maxNumber keeps the work on one number below a second.
const maxNumber = 1_000_000_000_000_000

// visitors counts the queries of users, of all data sources together. It
// outlives changes of settings, and not the process.
type visitors struct {
	mu      sync.Mutex
	queries map[string]int
}

func newVisitors() *visitors { return &visitors{queries: map[string]int{}} }

func (v *visitors) count(login string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.queries[login]++
}

func (v *visitors) snapshot() map[string]int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.queries)
}

// factors is one data source. It is made anew when its settings change, and the
// cache with it: what is in there was found under the old ones.
type factors struct {
	*http.ServeMux
	visitors *visitors
	cache    *cache
}

func (v *visitors) open(_ context.Context, s plugin.Settings[settings]) (*factors, error) {
	if s.Values.CacheSize < 0 {
		return nil, plugin.BadRequest("settings: cacheSize must not be negative")
	}
	if s.Values.CacheSize == 0 {
		s.Values.CacheSize = 1000
	}
	f := &factors{http.NewServeMux(), v, newCache(s.Values.CacheSize)}
	f.HandleFunc("GET /visitors", f.list)
	return f, nil
}

func (f *factors) Query(ctx context.Context, q plugin.Query[model]) (frame.Frames, error) {
	if q.Model.Number < 2 || q.Model.Number > maxNumber {
		return nil, plugin.BadRequest("query: number must be from 2 to %d", maxNumber)
	}
	login := "nobody"
	if user := plugin.ContextFrom(ctx).User; user != nil {
		login = user.Login
	}
	f.visitors.count(login)
	a, cached := f.cache.ask(q.Model.Number, login)
	return frame.Frames{frame.New("",
		frame.NewField("number", nil, []int64{q.Model.Number}),
		frame.NewField("factors", nil, []string{fmt.Sprint(a.factors())}),
		frame.NewField("first asked by", nil, []string{a.by}),
		frame.NewField("cached", nil, []bool{cached}))}, nil
}

func (f *factors) list(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(f.visitors.snapshot()) // the caller has gone
}

// cache keeps the latest answers, for all users.
type cache struct {
	size int

	mu    sync.Mutex
	found map[int64]answer
	order []int64 // oldest first
}

func newCache(size int) *cache { return &cache{size: size, found: map[int64]answer{}} }

// answer is what the cache keeps of a number. The first caller of factors does
// the work; all others wait for it.
type answer struct {
	by      string
	factors func() []int64
}

func (c *cache) ask(number int64, login string) (a answer, cached bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a, ok := c.found[number]; ok {
		return a, true
	}
	if len(c.order) == c.size {
		delete(c.found, c.order[0])
		c.order = slices.Delete(c.order, 0, 1)
	}
	a = answer{login, sync.OnceValue(func() []int64 { return takeApart(number) })}
	c.found[number], c.order = a, append(c.order, number)
	return a, false
}

func takeApart(number int64) []int64 {
	var factors []int64
	for divisor := int64(2); divisor <= number/divisor; divisor++ {
		for number%divisor == 0 {
			factors, number = append(factors, divisor), number/divisor
		}
	}
	if number > 1 {
		factors = append(factors, number)
	}
	return factors
}
