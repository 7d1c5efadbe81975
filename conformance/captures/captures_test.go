package captures

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plugboard/plugboard/server"
	"github.com/plugboard/plugboard/server/config"
)

// secret is the data source's, and may be in no answer and no log line.
const secret = "captured-s3cr3t"

const provisioning = `apiVersion: 1
datasources:
- {name: Bench, uid: bench, type: bench-datasource, url: "http://127.0.0.1:1", jsonData: {a: 1}, secureJsonData: {token: ` + secret + `}}
- {name: Bare, uid: bare, type: bench-bare-datasource}
- {name: Frontonly, uid: frontonly, type: bench-frontend-datasource}
- {name: Unknownplugin, uid: unknownplugin, type: no-such-datasource}
`

// TestReplay makes the captured requests in their order, and compares.
func TestReplay(t *testing.T) {
	exchanges := readExchanges(t)
	all := map[string]answer{}
	for _, e := range exchanges {
		all[e.number] = e.answer
	}
	address, logs := startServer(t)
	for _, e := range exchanges {
		t.Run(e.number+"-"+e.name, func(t *testing.T) {
			got := e.ask(t, address)
			compare(t, e, expect(e, all), got)
			if strings.Contains(got.body, secret) {
				t.Errorf("the answer holds a secret: %s", got.body)
			}
		})
	}
	if strings.Contains(logs(), secret) {
		t.Errorf("the log holds a secret:\n%s", logs())
	}
}

// TestReplayStream asks for the packets of the captured web socket as
// server-sent events.
func TestReplayStream(t *testing.T) {
	want := capturedPackets(t)
	address, _ := startServer(t)
	ask := func(channel string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+address+"/api/live/sse?channel="+channel, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("admin", adminPassword)
		response, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = response.Body.Close() })
		return response
	}
	lines := bufio.NewScanner(ask("ds/bench/stream/tick").Body)
	var got []any
	for len(got) < len(want) && lines.Scan() {
		if packet, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			got = append(got, settledPacket(t, packet))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packets differ (-want +got):\n%s", diff)
	}
	// The captured error of the unknown data source is 100, internal server
	// error; an unknown uid is 404 everywhere here.
	for _, channel := range []string{"ds/bench/nosuch", "ds/nosuch/stream/tick"} {
		if response := ask(channel); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %d, want 404", channel, response.StatusCode)
		}
	}
}

var packetLine = regexp.MustCompile(`^< \{"push":\{"channel":"1/ds/bench/stream/tick","pub":\{"data":(.*)\}\}\}$`)

// capturedPackets returns the packets of the captured web socket.
func capturedPackets(t *testing.T) []any {
	t.Helper()
	text, err := os.ReadFile("testdata/70-live-websocket.txt")
	if err != nil {
		t.Fatal(err)
	}
	var packets []any
	for line := range strings.Lines(string(text)) {
		if match := packetLine.FindStringSubmatch(strings.TrimSpace(line)); match != nil {
			packets = append(packets, settledPacket(t, match[1]))
		}
	}
	if len(packets) != 5 {
		t.Fatalf("%d packets were captured, want 5", len(packets))
	}
	return packets
}

func settledPacket(t *testing.T, text string) any {
	t.Helper()
	var packet map[string]any
	if err := json.Unmarshal([]byte(text), &packet); err != nil {
		t.Fatalf("packet %s: %v", text, err)
	}
	settleFrame(packet)
	return packet
}

// startServer runs a server with the plugins and data sources of the captures
// until the test ends.
func startServer(t *testing.T) (address string, logs func() string) {
	t.Helper()
	files := t.TempDir()
	if err := writeFile(filepath.Join(files, "captures.yaml"), []byte(provisioning)); err != nil {
		t.Fatal(err)
	}
	var log lockedBuffer
	s, err := server.New(t.Context(), server.Config{
		Config: config.Config{
			Listen: "127.0.0.1:0", Data: t.TempDir(), PluginDirs: []string{pluginDir}, Provisioning: files,
			AllowUnsigned: []string{"*"}, AdminPassword: adminPassword,
			Crashes: -1, // a captured request kills the plugin, and Grafana starts it for ever
		},
		Version: "9.4.0-pre", Commit: "8f3e923",
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return s.Addr(), log.String
}

// lockedBuffer may be written and read at the same time.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// frontendOnly is the plugin.json of a plugin without a backend.
const frontendOnly = `{"type":"datasource","name":"bench-frontend-datasource","id":"bench-frontend-datasource",
"info":{"description":"bench","author":{"name":"bench","url":""},"logos":{"small":"img/logo.svg","large":"img/logo.svg"},"version":"1.0.0","updated":"2026-01-01"},
"dependencies":{"grafanaDependency":">=8.0.0","plugins":[]}}`

// pluginDir holds the plugins of the captures.
var pluginDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "captures-")
	if err == nil {
		pluginDir, err = dir, build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the plugins:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// build builds the two plugins as they are installed, and one without a
// backend.
func build(dir string) error {
	for _, name := range []string{"bench", "bare"} {
		manifest, err := os.ReadFile(filepath.Join("..", "plugins", name, "plugin.json"))
		if err != nil {
			return err
		}
		if err := writeFile(filepath.Join(dir, name, "plugin.json"), manifest); err != nil {
			return err
		}
		binary := filepath.Join(dir, name, fmt.Sprintf("gpx_%s_%s_%s", name, runtime.GOOS, runtime.GOARCH))
		build := exec.Command("go", "build", "-o", binary, "../plugins/"+name)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return writeFile(filepath.Join(dir, "frontend", "plugin.json"), []byte(frontendOnly))
}

func writeFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
