package main

import (
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host/hosttest"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

func TestPrimes(t *testing.T) {
	p := hosttest.Run(t, ".", plugin.Context{App: &plugin.AppSettings{}})
	get := func(target string) hosttest.Answer {
		t.Helper()
		answer, err := p.Call(http.MethodGet, target, "")
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		return answer
	}

	if a := get(""); a.Status != 200 || a.Header.Get("Content-Type") != "text/html; charset=utf-8" || a.Body != string(page) {
		t.Errorf("the page: got %+v", a)
	}
	if a := get("primes?below=20"); a.Header.Get("Content-Type") != "application/json" || a.Body != "[2,3,5,7,11,13,17,19]\n" {
		t.Errorf("the list: got %+v", a)
	}

	a := get("primes.txt?below=1000000")
	if n := strings.Count(a.Body, "\n"); n != 78498 || !strings.HasSuffix(a.Body, "\n999983\n") {
		t.Errorf("the download has %d primes", n)
	}
	if want := (len(a.Body) + 64<<10 - 1) / (64 << 10); a.Messages != want {
		t.Errorf("the download came in %d pieces, not in %d", a.Messages, want)
	}

	a = get("spiral.png?size=5")
	picture, err := png.Decode(strings.NewReader(a.Body))
	if err != nil || a.Header.Get("Content-Type") != "image/png" {
		t.Fatalf("the image: %v, %v", a.Header, err)
	}
	var drawn strings.Builder
	for y := range 5 {
		for x := range 5 {
			if r, _, _, _ := picture.At(x, y).RGBA(); r == 0xffff {
				drawn.WriteByte('.')
			} else {
				drawn.WriteByte('#')
			}
		}
		drawn.WriteByte('\n')
	}
	// 17 16 15 14 13
	// 18  5  4  3 12
	// 19  6  1  2 11
	// 20  7  8  9 10
	// 21 22 23 24 25
	if want := "#...#\n.#.#.\n#..##\n.#...\n..#..\n"; drawn.String() != want {
		t.Errorf("the image:\n%s", &drawn)
	}

	if a := get("primes?below=all"); a.Status != http.StatusBadRequest || a.Body != "below must be a number from 1 to 10000\n" {
		t.Errorf("got %+v", a)
	}
	if a := get("nosuch"); a.Status != http.StatusNotFound {
		t.Errorf("got %+v", a)
	}
}

func TestHealth(t *testing.T) {
	p := hosttest.Run(t, ".", plugin.Context{App: &plugin.AppSettings{JSON: []byte(`{"limit":1000}`)}})
	if health, err := p.CheckHealth(); err != nil || health.Message != "counting to 1000" {
		t.Errorf("got %+v, %v", health, err)
	}
	p.Context.App = &plugin.AppSettings{JSON: []byte(`{"limit":-1}`), Updated: time.Now()}
	if health, err := p.CheckHealth(); err != nil || health.Message != "settings: limit must not be negative" || health.Status != plugin.HealthError {
		t.Errorf("got %+v, %v", health, err)
	}
}

func TestSuite(t *testing.T) {
	plugintest.Suite(t, plugin.App(open), plugintest.Subject{
		Context: plugin.Context{App: &plugin.AppSettings{}}, BadSettings: []string{`{"limit":-1}`},
	})
}

// TestDisabled: an app that was disabled holds nothing open.
func TestDisabled(t *testing.T) {
	p := hosttest.Run(t, ".", plugin.Context{App: &plugin.AppSettings{}})
	if _, err := p.Call(http.MethodGet, "", ""); err != nil {
		t.Fatal(err)
	}
	active := func(n string) bool {
		text, err := p.Host.Metrics(t.Context(), p.Context.PluginID)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(text), "\nplugins_active_instances "+n+"\n")
	}
	if !active("1") {
		t.Error("no instance was opened")
	}
	if err := p.Host.Forget(t.Context(), p.Context); err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); !active("0"); {
		if time.Since(begun) > time.Minute {
			t.Fatal("the instance is open still")
		}
	}
}
