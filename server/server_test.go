//go:build unix

package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server"
	"github.com/plugboard/plugboard/server/config"
)

// TestMain makes this binary the plugin of its own tests.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "be-a-plugin" || os.Getenv("grafana_plugin_type") != "" || os.Getenv("PLUGBOARD_STANDALONE") != "" {
		plugin.Main(plugin.DataSource(open))
	}
	os.Exit(m.Run())
}

// source is a data source that does as it is told.
type source struct{ token string }

type settings struct {
	Token string `secret:"token"`
}

type model struct {
	Do string `json:"do" plugboard:"text"`
}

func open(_ context.Context, s plugin.Settings[settings]) (*source, error) {
	return &source{s.Values.Token}, nil
}

func (s *source) Query(_ context.Context, q plugin.Query[model]) (frame.Frames, error) {
	switch q.Model.Do {
	case "panic":
		panic("told to")
	case "die":
		os.Exit(7)
	case "tell":
		return nil, errors.New("cannot log in with " + s.token)
	case "large":
		return frame.Frames{large()}, nil
	case "sent":
		return frame.Frames{frame.New("", frame.NewField("sent", nil, []int64{sent.Load()}), frame.NewField("flowing", nil, []int64{flowing.Load()}))}, nil
	}
	return frame.Frames{frame.New("", frame.NewField("pid", nil, []int64{int64(os.Getpid())}))}, nil
}

func (s *source) RunStream(ctx context.Context, _ plugin.Channel, to *plugin.Sender) error {
	if err := to.SendJSON(json.RawMessage(`{"hello":"listener"}`)); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// goOn lets a slow answer go on.
var goOn = make(chan struct{})

func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/slow":
		fmt.Fprint(w, "first")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-goOn:
			fmt.Fprint(w, "second")
		case <-r.Context().Done():
		}
	case "/go":
		goOn <- struct{}{}
	case "/file":
		w.Header().Set("ETag", `"v1"`)
		w.Header().Add("Vary", "One")
		w.Header().Add("Vary", "Two")
		http.ServeContent(w, r, "file.txt", time.Time{}, strings.NewReader("0123456789"))
	case "/abort":
		fmt.Fprint(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

const manifest = `{"id":"%s","type":"datasource","name":"Test","backend":true,"executable":"gpx_test","info":{"version":"1.0.0"}}`

// secret is the data sources', and may be in no answer and no log line.
const secret = "s3cr3t-token"

// running is a server under test.
type running struct {
	t *testing.T
	*server.Server
	password string
	token    string // asks instead of the admin, if it is set
	stop     func() error
	logs     *logs
}

// logs may be written and read at the same time.
type logs struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.String()
}

// start runs a server with the test plugin bundled, until the test ends or stop
// is called.
func start(t *testing.T, c config.Config) *running {
	t.Helper()
	return startWith(t, c, time.Hour)
}

// startWith lets clients go that read nothing for so long.
func startWith(t *testing.T, c config.Config, stuck time.Duration) *running {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c.Listen = "127.0.0.1:0"
	if c.Data == "" {
		c.Data = t.TempDir()
	}
	l := &logs{}
	s, err := server.New(t.Context(), server.Config{
		Config: c,
		Bundled: []host.Bundled{
			{Manifest: fmt.Appendf(nil, manifest, "test-datasource"), Command: []string{self, "be-a-plugin"}},
			{Manifest: fmt.Appendf(nil, manifest, "other-datasource"), Command: []string{self, "be-a-plugin"}},
		},
		Version: "1.2.3",
		Logger:  slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.SetWriteTimeout(stuck)
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	r := &running{t: t, Server: s, password: s.GeneratedPassword(), logs: l}
	r.stop = sync.OnceValue(func() error { cancel(); return <-ran })
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		if strings.Contains(l.String(), secret) {
			t.Errorf("the log holds a secret:\n%s", l)
		}
		if t.Failed() {
			t.Logf("log:\n%s", l)
		}
	})
	return r
}

// ask makes a request as the admin. Closing the answer is the caller's.
func (r *running) ask(ctx context.Context, method, path, body string) *http.Response {
	r.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+r.Addr()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.SetBasicAuth("admin", r.password)
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	return response
}

// want makes a request and looks for a part of the answer.
func (r *running) want(status int, part, method, path, body string) string {
	r.t.Helper()
	response := r.ask(r.t.Context(), method, path, body)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if response.StatusCode != status || !strings.Contains(string(answer), part) {
		r.t.Errorf("%s %s %s\nanswers %d %s\nwant %d …%s…", method, path, body, response.StatusCode, answer, status, part)
	}
	if strings.Contains(string(answer), secret) {
		r.t.Errorf("%s %s answers with a secret: %s", method, path, answer)
	}
	return string(answer)
}

// query asks a data source to do something.
func (r *running) query(status int, part, uid, do string) string {
	r.t.Helper()
	return r.want(status, part, "POST", "/api/ds/query", fmt.Sprintf(`{"queries":[{"datasource":{"uid":%q},"do":%q}]}`, uid, do))
}

// pid is that of the test plugin.
func (r *running) pid() int {
	p, _ := r.Host().Plugin("test-datasource")
	return p.PID
}

// write writes a file, making its folders.
func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// provision writes a provisioning file with data sources of the test plugin.
func provision(t *testing.T, dir string, uids ...string) {
	t.Helper()
	text := "apiVersion: 1\ndatasources:\n"
	for _, uid := range uids {
		text += fmt.Sprintf("- {name: %s, uid: %s, type: test-datasource, secureJsonData: {token: %s}}\n", uid, uid, secret)
	}
	write(t, filepath.Join(dir, "datasources", "sources.yaml"), text, 0o644)
}

// TestServer is a server's life: a first start, a broken provisioning file, its
// repair, an end in the middle of a stream, a second start.
func TestServer(t *testing.T) {
	data, files := t.TempDir(), t.TempDir()
	provision(t, files, "one")
	broken := filepath.Join(files, "datasources", "broken.yaml")
	write(t, broken, "datasources: [", 0o644)

	r := start(t, config.Config{Data: data, Provisioning: files})
	if r.password == "" {
		t.Fatal("no password was made up at the first start")
	}
	if !strings.Contains(r.logs.String(), "broken.yaml") {
		t.Error("nobody is told of the broken file")
	}
	r.query(200, `"frames":[{"schema":{"refId":"A","fields":[{"name":"pid"`, "one", "")
	r.want(200, `"database":"ok"`, "GET", "/api/health", "")
	r.want(200, `"secureJsonFields":{"token":true}`, "GET", "/api/datasources/uid/one", "")
	r.want(200, `"queryText":"do"`, "GET", "/api/plugins/test-datasource/settings", "")
	r.want(200, `plugboard_plugin_calls_total{endpoint="query",plugin="test-datasource",source="one",status="ok"} 1`, "GET", "/metrics", "")
	r.want(200, "go_goroutines", "GET", "/api/plugins/test-datasource/metrics", "")

	write(t, broken, "apiVersion: 1\ndatasources: [{name: repaired, uid: repaired, type: test-datasource}]", 0o644)
	r.Reload(t.Context())
	r.query(200, `"name":"pid"`, "repaired", "")

	stream := r.ask(t.Context(), "GET", "/api/live/sse?channel=ds/one/any", "")
	defer stream.Body.Close()
	const packet = ": subscribed\n\ndata: {\"hello\":\"listener\"}\n\n"
	got := make([]byte, len(packet))
	if _, err := io.ReadFull(stream.Body, got); err != nil || string(got) != packet {
		t.Errorf("stream: %q, %v", got, err)
	}
	pid := r.pid()
	if err := r.stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if rest, err := io.ReadAll(stream.Body); err != nil || len(rest) > 0 {
		t.Errorf("the stream ends in %q, %v", rest, err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the plugin's process is still there: %v", err)
	}

	again := start(t, config.Config{Data: data})
	if again.password != "" {
		t.Error("a password was made up at the second start")
	}
	again.password = r.password
	again.query(200, `"name":"pid"`, "repaired", "")
}

// TestToken: a token asks what it may, through a restart that keeps when it was
// used last, and what it may not is refused before any plugin hears of it.
func TestToken(t *testing.T) {
	data, files := t.TempDir(), t.TempDir()
	provision(t, files, "one", "two")
	c := config.Config{Data: data, Provisioning: files, AdminPassword: "correct-horse"}
	r := start(t, c)
	r.password = "correct-horse"
	r.want(201, `"login":"sa-1-cron"`, "POST", "/api/serviceaccounts", `{"name":"cron","role":"Viewer","dataSources":["one"]}`)
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(r.want(200, `"key":"pb_`, "POST", "/api/serviceaccounts/1/tokens", `{"name":"cron"}`)), &made); err != nil {
		t.Fatal(err)
	}
	r.token = made.Key
	r.query(200, `"name":"pid"`, "one", "")
	r.query(403, `uid \"two\"`, "two", "")
	r.want(403, "takes the role Admin", "DELETE", "/api/datasources/uid/one", "")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}

	again := start(t, c)
	again.password = r.password
	again.want(200, `"lastUsedAt":"20`, "GET", "/api/serviceaccounts/1/tokens", "")
	again.token = made.Key
	again.query(200, `"name":"pid"`, "one", "")
	if strings.Contains(r.logs.String()+again.logs.String(), made.Key) {
		t.Error("the log holds the token")
	}
}

// TestBadPlugins: whatever a plugin does or is, the request gets an answer that
// says what is wrong with which plugin, and the next request is served.
func TestBadPlugins(t *testing.T) {
	files, plugins := t.TempDir(), t.TempDir()
	provision(t, files, "one")
	more := "apiVersion: 1\ndatasources:\n"
	for name, executable := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"garbage":   {"#!/bin/sh\necho hello\nexec sleep 60\n", 0o755},
		"wrongarch": {"\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 57), 0o755},
		"noexec":    {"#!/bin/sh\n", 0o644},
		"missing":   {"", 0},
	} {
		more += fmt.Sprintf("- {name: %s, uid: %s, type: %s-datasource}\n", name, name, name)
		write(t, filepath.Join(plugins, name, "plugin.json"), fmt.Sprintf(manifest, name+"-datasource"), 0o644)
		if executable.mode != 0 {
			write(t, filepath.Join(plugins, name, "gpx_test_"+runtime.GOOS+"_"+runtime.GOARCH), executable.text, executable.mode)
		}
	}
	write(t, filepath.Join(files, "datasources", "bad.yaml"), more, 0o644)
	write(t, filepath.Join(plugins, "broken", "plugin.json"), `{"id":`, 0o644)

	r := start(t, config.Config{Provisioning: files, PluginDirs: []string{plugins}, AllowUnsigned: []string{"*"}})
	for name, part := range map[string]string{
		"garbage":   "hello",
		"wrongarch": "is built for",
		"noexec":    "executable",
		"missing":   "gpx_test_" + runtime.GOOS,
	} {
		answer := r.query(503, part, name, "")
		if want := fmt.Sprintf(`"message":"Plugin unavailable: data source \"%s\" (plugin %s-datasource): `, name, name); !strings.Contains(answer, want) {
			t.Errorf("%s answers %s, want %s", name, answer, want)
		}
		r.want(503, "Plugin unavailable", "GET", "/api/datasources/uid/"+name+"/health", "")
	}
	r.want(200, filepath.Join("broken", "plugin.json"), "GET", "/api/plugins/errors", "")

	r.query(400, `"error":"the plugin panicked: told to","errorSource":"plugin","status":500`, "one", "panic")
	r.query(400, `"error":"cannot log in with [secret]"`, "one", "tell")
	r.query(503, `"message":"Plugin unavailable: data source \"one\" (plugin test-datasource): died during the call`, "one", "die")
	r.query(200, `"name":"pid"`, "one", "")
	r.want(404, `data source \"one\" (plugin test-datasource)`, "POST", "/api/live/publish", `{"channel":"ds/one/x","data":1}`)
	r.want(400, "Health check not implemented", "GET", "/api/datasources/uid/one/health", "")
}

// TestKilledPlugin: a plugin that is killed answers again within a second. A
// call that the host made before it knew of the death is lost, and says so.
func TestKilledPlugin(t *testing.T) {
	files := t.TempDir()
	provision(t, files, "one")
	r := start(t, config.Config{Provisioning: files})
	r.query(200, `"name":"pid"`, "one", "")
	killed := r.pid()
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for r.status("one") != http.StatusOK {
		if time.Since(began) > 30*time.Second {
			t.Fatal("no answer half a minute after the plugin was killed")
		}
	}
	t.Logf("it answers again after %v", time.Since(began))
	if r.pid() == killed {
		t.Error("it was not killed")
	}
}

// status queries a data source and returns the answer's status.
func (r *running) status(uid string) int {
	response := r.ask(r.t.Context(), "POST", "/api/ds/query", fmt.Sprintf(`{"queries":[{"datasource":{"uid":%q}}]}`, uid))
	defer response.Body.Close()
	return response.StatusCode
}

// TestStreamGoesOn: neither a death of the plugin nor a change of the data
// source ends a stream; the deletion does.
func TestStreamGoesOn(t *testing.T) {
	r := start(t, config.Config{})
	const one = `{"uid":"one","name":"one","type":"test-datasource","url":"http://%s"}`
	r.want(200, "Datasource added", "POST", "/api/datasources", fmt.Sprintf(one, "first"))
	stream := r.ask(t.Context(), "GET", "/api/live/sse?channel=ds/one/any", "")
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	next := func() string {
		for lines.Scan() {
			if packet, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return packet
			}
		}
		return "the end"
	}
	const packet = `{"hello":"listener"}`
	if got := next(); got != packet {
		t.Fatalf("first packet %s", got)
	}
	if err := syscall.Kill(r.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != packet {
		t.Errorf("after the plugin was killed: %s", got)
	}
	r.want(200, "Datasource updated", "PUT", "/api/datasources/uid/one", fmt.Sprintf(one, "second"))
	if got := next(); got != packet {
		t.Errorf("after the data source was changed: %s", got)
	}
	r.want(200, "Data source deleted", "DELETE", "/api/datasources/uid/one", "")
	if why, end := next(), next(); !strings.Contains(why, "Data source not found") || end != "the end" {
		t.Errorf("after the data source was deleted: %s, then %s", why, end)
	}
	r.want(404, "Data source not found", "GET", "/api/live/sse?channel=ds/one/any", "")
}

func TestNewFails(t *testing.T) {
	for name, c := range map[string]config.Config{
		"address":    {Listen: "nowhere:99999", Data: t.TempDir()},
		"data":       {Listen: "127.0.0.1:0", Data: filepath.Join("/dev/null", "data")},
		"secret key": {Listen: "127.0.0.1:0", Data: t.TempDir(), SecretKey: "short"},
	} {
		if _, err := server.New(t.Context(), server.Config{Config: c}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
