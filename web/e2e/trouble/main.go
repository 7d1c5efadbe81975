// Command trouble is a data source for the console's tests that does what a
// console has to stand: slow and wordy health checks, streams that race, grow
// and break, resources without end, pages that try to get out.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

func main() { plugin.Main(plugin.DataSource(new(process).open)) }

// process is what all data sources share.
type process struct {
	checks atomic.Int64 // that have begun
}

type settings struct {
	URL    string `json:"url" title:"URL" plugboard:"required" examples:"http://127.0.0.1:9"`
	Health string `json:"health" title:"Health" enum:"fine,wordy,ill,slow" default:"fine" description:"How Save & test is answered."`
	Token  string `secret:"token" title:"Token"`
}

// trouble is one data source.
type trouble struct {
	*http.ServeMux
	health string
	token  string
	*process
}

func (p *process) open(_ context.Context, s plugin.Settings[settings]) (*trouble, error) {
	t := &trouble{ServeMux: http.NewServeMux(), health: s.Values.Health, token: s.Values.Token, process: p}
	t.HandleFunc("/echo", echo)
	t.HandleFunc("/page", page)
	t.HandleFunc("/picture", picture)
	t.HandleFunc("/bytes", binary)
	t.HandleFunc("/big", big)
	t.HandleFunc("/endless", endless)
	t.HandleFunc("/checks", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, t.checks.Load()) })
	t.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"message":"it is broken"}`, 500) })
	return t, nil
}

// Query answers with how many characters the token has, which proves that it
// came without telling it.
func (t *trouble) Query(context.Context, plugin.Query[struct{}]) (frame.Frames, error) {
	f, err := frame.FromStructs("token", []struct {
		Length int64 `frame:"length"`
	}{{int64(len(t.token))}})
	return frame.Frames{f}, err
}

func (t *trouble) CheckHealth(ctx context.Context) (plugin.Health, error) {
	t.checks.Add(1)
	switch t.health {
	case "wordy":
		return plugin.Health{Message: strings.Repeat("All of the forty tables answer. ", 40), Details: wordy()}, nil
	case "ill":
		return plugin.Health{}, plugin.Downstream(errors.New("dial tcp 127.0.0.1:9: connection refused"))
	case "slow":
		<-ctx.Done()
		return plugin.Health{}, ctx.Err()
	}
	return plugin.Health{Message: "fine"}, nil
}

// wordy is JSON in JSON, deep and long.
func wordy() json.RawMessage {
	tables := make([]map[string]any, 40)
	for i := range tables {
		tables[i] = map[string]any{"name": fmt.Sprintf("table_%d_<script>alert(1)</script>", i), "rows": i * 1000, "columns": []string{"time", "value"}, "statistics": map[string]any{"fresh": true, "sizes": []int{1, 2, 3}}}
	}
	text, _ := json.Marshal(map[string]any{"version": "17.2", "extensions": `{"postgis":"3.4","nested":{"deep":[1,2,3]}}`, "tables": tables}) // of plain values
	return text
}

func (t *trouble) Subscribe(_ context.Context, channel plugin.Channel) (plugin.StreamReply, error) {
	switch channel.Path {
	case "racing", "growing", "ends", "breaks", "words":
		return plugin.StreamReply{}, nil
	}
	return plugin.StreamReply{Status: plugin.StreamNotFound}, nil
}

func (t *trouble) RunStream(ctx context.Context, channel plugin.Channel, to *plugin.Sender) error {
	every := 50 * time.Millisecond
	if channel.Path == "racing" {
		every = time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := step(channel.Path, n, to); err != nil {
			return err
		}
		switch {
		case channel.Path == "ends" && n == 3:
			return nil
		case channel.Path == "breaks" && n == 3:
			return errors.New("the feed broke off")
		}
	}
}

// step sends the nth packet of a stream.
func step(path string, n int, to *plugin.Sender) error {
	now := time.Now()
	switch {
	case path == "words":
		return to.SendJSON(json.RawMessage(fmt.Sprintf(`{"word":"number %d"}`, n)))
	case path == "growing" && n >= 20:
		return plugin.SendRows(to, path, struct {
			Time   time.Time `frame:"time"`
			Value  float64   `frame:"value"`
			Second float64   `frame:"second"`
		}{now, float64(n % 7), float64(n % 5)})
	}
	return plugin.SendRows(to, path, struct {
		Time  time.Time `frame:"time"`
		Value float64   `frame:"value"`
	}{now, float64(n % 7)})
}

// echo tells what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		plugin.WriteError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Trouble", "none")
	_ = json.NewEncoder(w).Encode(map[string]any{"method": r.Method, "url": r.URL.String(), "body": string(body), "type": r.Header.Get("Content-Type"), "accept": r.Header.Get("Accept"), "custom": r.Header.Get("X-Custom")})
}

// page tries what a page of a plugin must not do.
func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, `<!doctype html><meta http-equiv="refresh" content="1; url=/home"><title>Trouble</title>
<h1>A page of a plugin</h1>
<p style="color: teal">Plain words.</p>
<a href="/home" target="_top">Out</a>
<form action="/api/datasources" method="post"><button>Send</button></form>
<img src="data:image/gif;base64,R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs=" alt="A dot">
<script>top.document.title = "taken"; top.location = "/home"</script>`)
}

func picture(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "image/png")
	_ = png.Encode(w, image.NewGray(image.Rect(0, 0, 320, 160)))
}

func binary(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/octet-stream")
	text := make([]byte, 1000)
	for i := range text {
		text[i] = byte(i)
	}
	_, _ = w.Write(text)
}

// big is 50 MB of JSON.
func big(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	line := strings.Repeat("x", 1000)
	fmt.Fprint(w, "[")
	for i := range 50_000 {
		if i > 0 {
			fmt.Fprint(w, ",")
		}
		if _, err := fmt.Fprintf(w, "%q", line); err != nil {
			return
		}
	}
	fmt.Fprint(w, "]")
}

// endless writes a line at a time, until nobody listens.
func endless(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		if _, err := fmt.Fprintf(w, "line %d\n", n); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush() // best effort
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}
