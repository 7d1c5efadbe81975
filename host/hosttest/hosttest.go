// Package hosttest builds a plugin from its source and runs it in a test as a
// process under a host, beside the programs that it talks to.
package hosttest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
)

// Plugin is a plugin under a host, and the settings it is asked with.
type Plugin struct {
	Host *host.Host
	// Context is what every call is made with. A test may change it between
	// calls; PluginID and PluginVersion are filled in.
	Context plugin.Context
	t       testing.TB
}

// Run builds the plugin whose source and plugin.json are in dir, starts it
// and stops it when the test ends. What it logs goes to the test's log.
func Run(t testing.TB, dir string, c plugin.Context) *Plugin {
	t.Helper()
	built := t.TempDir()
	manifest, err := os.ReadFile(filepath.Join(dir, "plugin.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(built, "plugin.json"), manifest, 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := host.New(host.Config{
		PluginDirs:    []string{built},
		AllowUnsigned: []string{"*"},
		Sandbox:       map[string]host.Policy{"*": {Level: "off"}}, // tests have files anywhere
		Wait:          time.Minute,
		Logger:        slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	plugins := h.Plugins()
	if len(plugins) != 1 {
		t.Fatalf("%s: want one plugin, have %d; faults: %v", dir, len(plugins), h.Faults())
	}
	m := plugins[0].Manifest
	build(t, dir, filepath.Join(built, m.Executable+"_"+runtime.GOOS+"_"+runtime.GOARCH+exeSuffix()))
	run(t, h)
	c.PluginID, c.PluginVersion = m.ID, m.Info.Version
	return &Plugin{Host: h, Context: c, t: t}
}

// build builds the main package in dir.
func build(t testing.TB, dir, into string) {
	t.Helper()
	watch(t, dir)
	cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", into, ".")
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", dir, err, output)
	}
}

// watch looks at the files in dir: a test's cached result is good until a file that
// the test looked at has changed, whatever other processes read.
func watch(t testing.TB, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			if _, err := os.Stat(filepath.Join(dir, entry.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func exeSuffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// run runs the host until the test ends.
func run(t testing.TB, h *host.Host) {
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- h.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Errorf("stop the plugin: %v", err)
		}
	})
}

// Query asks one query, the JSON of its model, about the last hour.
func (p *Plugin) Query(model string) (frame.Frames, error) {
	now := time.Now()
	return p.QueryRange(model, plugin.TimeRange{From: now.Add(-time.Hour), To: now})
}

// QueryRange asks one query about a range of time.
func (p *Plugin) QueryRange(model string, about plugin.TimeRange) (frame.Frames, error) {
	const refID = "A"
	response, err := p.Host.Query(p.t.Context(), &plugin.QueryRequest{
		Context: p.Context,
		Queries: []plugin.DataQuery{{RefID: refID, JSON: []byte(model), TimeRange: about, MaxDataPoints: 100, Interval: time.Second}},
	})
	if err != nil {
		return nil, err
	}
	answer, ok := response.Responses[refID]
	switch {
	case !ok:
		return nil, errors.New("the plugin left the query out of its answer")
	case answer.Error != "":
		return nil, &plugin.Error{Message: answer.Error, Source: answer.ErrorSource, Status: answer.Status}
	}
	return answer.Decode()
}

// Answer is what a resource answers.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	// Messages counts the pieces in which it came.
	Messages int
}

// Call makes an HTTP request of a resource. The target is its path, and the
// query string if there is one.
func (p *Plugin) Call(method, target, body string) (Answer, error) {
	r, err := http.NewRequest(method, "/"+target, nil)
	if err != nil {
		return Answer{}, err
	}
	var a Answer
	err = p.Host.CallResource(p.t.Context(), &plugin.ResourceRequest{
		Context: p.Context, Path: r.URL.Path[1:], URL: target, Method: method, Body: []byte(body),
	}, func(m plugin.ResourceResponse) error {
		if a.Messages == 0 {
			a.Status, a.Header = m.Status, m.Header
		}
		a.Messages++
		a.Body += string(m.Body)
		return nil
	})
	return a, err
}

// CheckHealth asks whether the data source or app works.
func (p *Plugin) CheckHealth() (plugin.Health, error) {
	return p.Host.CheckHealth(p.t.Context(), &plugin.HealthRequest{Context: p.Context})
}
