package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/access"
	"github.com/plugboard/plugboard/server/datasource"
)

// secret is in every data source and app of these tests, and may be in no
// answer and no log line.
const secret = "s3cr3t-value"

// fakeHost answers with what a test puts into it.
type fakeHost struct {
	plugins  []host.Plugin
	faults   []host.Fault
	query    func(*plugin.QueryRequest) (*plugin.QueryResponse, error)
	health   func(*plugin.HealthRequest) (plugin.Health, error)
	resource func(*plugin.ResourceRequest, func(plugin.ResourceResponse) error) error
	metrics  func(id string) ([]byte, error)
	publish  func(*plugin.StreamRequest) (plugin.StreamReply, error)

	subscribe func(*plugin.StreamRequest, func(context.Context) (plugin.Context, error)) (subscription, error)
	order     func(verb, id string) error
	versions  host.Versions
	events    func(id string, after int64) ([]host.Event, <-chan struct{}, error)
	logs      func(id string, after int64) ([]host.LogLine, <-chan struct{}, error)
	schema    host.Schema
	schemaErr error
	text      string                                    // the query text field of all plugins
	chunks    func(send func(plugin.Chunk) error) error // nil: plugins do not answer in chunks
	permits   chan struct{}                             // for answers that are received and used; nil: any number
	reuses    bool                                      // the memory of frames, once it may, as the real one does
	wait      func(*plugin.QueryRequest)                // before a permit is taken

	mu                 sync.Mutex
	renewed, forgotten []string
}

func (h *fakeHost) Plugins() []host.Plugin { return h.plugins }

func (h *fakeHost) Faults() []host.Fault { return h.faults }

func (h *fakeHost) Plugin(id string) (host.Plugin, bool) {
	i := slices.IndexFunc(h.plugins, func(p host.Plugin) bool { return p.Manifest.ID == id })
	if i < 0 {
		return host.Plugin{}, false
	}
	return h.plugins[i], true
}

func (h *fakeHost) Describe(context.Context, string) (plugin.Description, error) {
	return plugin.Description{QueryText: h.text}, nil
}

func (h *fakeHost) Schema(context.Context, string) (host.Schema, error) { return h.schema, h.schemaErr }

func (h *fakeHost) Start(_ context.Context, id string) error   { return h.order("start", id) }
func (h *fakeHost) Stop(_ context.Context, id string) error    { return h.order("stop", id) }
func (h *fakeHost) Restart(_ context.Context, id string) error { return h.order("restart", id) }

func (h *fakeHost) Reload(_ context.Context, id string, _ func(context.Context, host.Candidate) error) error {
	return h.order("reload", id)
}

func (h *fakeHost) Rollback(_ context.Context, id string, _ func(context.Context, host.Candidate) error) error {
	return h.order("rollback", id)
}

func (h *fakeHost) Upgrade(_ context.Context, id, from string, signed bool, _ func(context.Context, host.Candidate) error) error {
	return errors.Join(received(from, signed), h.order("upgrade", id))
}

func (h *fakeHost) Versions(string) (host.Versions, error) { return h.versions, nil }

func (h *fakeHost) Events(id string, after int64) ([]host.Event, <-chan struct{}, error) {
	return h.events(id, after)
}

func (h *fakeHost) Logs(id string, after int64) ([]host.LogLine, <-chan struct{}, error) {
	return h.logs(id, after)
}

func (h *fakeHost) QueryFunc(_ context.Context, req *plugin.QueryRequest, use func(*plugin.QueryResponse, func()) error) error {
	if h.permits != nil {
		h.wait(req)
		h.permits <- struct{}{}
		defer func() { <-h.permits }()
	}
	response, err := h.query(req)
	if err != nil {
		return err
	}
	if h.reuses {
		for _, answer := range response.Responses {
			for _, raw := range answer.Frames {
				defer clear(raw)
			}
		}
	}
	return use(response, func() {})
}

func (h *fakeHost) Chunked(context.Context, string) (bool, error) { return h.chunks != nil, nil }

func (h *fakeHost) QueryChunks(_ context.Context, _ *plugin.QueryRequest, send func(plugin.Chunk) error) error {
	return h.chunks(send)
}

func (h *fakeHost) CheckHealth(_ context.Context, req *plugin.HealthRequest) (plugin.Health, error) {
	return h.health(req)
}

func (h *fakeHost) CallResource(_ context.Context, req *plugin.ResourceRequest, send func(plugin.ResourceResponse) error) error {
	return h.resource(req, send)
}

func (h *fakeHost) Metrics(_ context.Context, id string) ([]byte, error) { return h.metrics(id) }

// Subscribe is not called: newAPI puts subscribe in its place.
func (h *fakeHost) Subscribe(context.Context, *plugin.StreamRequest, func(context.Context) (plugin.Context, error)) (*host.Subscription, error) {
	panic("not here")
}

func (h *fakeHost) Publish(_ context.Context, req *plugin.StreamRequest) (plugin.StreamReply, error) {
	return h.publish(req)
}

func (h *fakeHost) RenewStreams(pluginID, uid string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.renewed = append(h.renewed, pluginID+"/"+uid)
}

func (h *fakeHost) Forget(_ context.Context, deleted plugin.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	uid := ""
	if deleted.DataSource != nil {
		uid = deleted.DataSource.UID
	}
	h.forgotten = append(h.forgotten, deleted.PluginID+"/"+uid)
	return nil
}

// memoryStore keeps data sources in a map.
type memoryStore struct {
	mu      sync.Mutex
	sources map[int64]datasource.DataSource
	apps    map[string]datasource.App
	lastID  int64
	broken  error
}

func newStore(sources ...datasource.DataSource) *memoryStore {
	s := &memoryStore{sources: map[int64]datasource.DataSource{}, apps: map[string]datasource.App{}}
	for _, d := range sources {
		if _, err := s.Create(context.Background(), d); err != nil {
			panic(err)
		}
	}
	return s
}

func (s *memoryStore) DataSources(context.Context) ([]datasource.DataSource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.sources), func(a, b datasource.DataSource) int { return strings.Compare(a.Name, b.Name) }), s.broken
}

func (s *memoryStore) DataSource(_ context.Context, key datasource.Key) (datasource.DataSource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return datasource.DataSource{}, s.broken
	}
	for _, d := range s.sources {
		if key.ID == d.ID || key.UID != "" && key.UID == d.UID || key.Name != "" && key.Name == d.Name {
			return d, nil
		}
	}
	return datasource.DataSource{}, fmt.Errorf("%w: %s", datasource.ErrNotFound, key)
}

func (s *memoryStore) Create(_ context.Context, d datasource.DataSource) (datasource.DataSource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.sources {
		if other.Name == d.Name || other.UID == d.UID {
			return d, fmt.Errorf("%w: %s", datasource.ErrExists, d.Name)
		}
	}
	s.lastID++
	d.ID, d.Version, d.Updated = s.lastID, 1, time.UnixMilli(1000)
	if d.UID == "" {
		d.UID = fmt.Sprint("made-up-", d.ID)
	}
	s.sources[d.ID] = d
	return d, nil
}

func (s *memoryStore) Update(_ context.Context, d datasource.DataSource) (datasource.DataSource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := s.sources[d.ID]
	switch {
	case stored.ReadOnly:
		return d, fmt.Errorf("%w: %s", datasource.ErrReadOnly, d.UID)
	case d.Version != 0 && d.Version != stored.Version:
		return d, fmt.Errorf("%w: %s", datasource.ErrStale, d.UID)
	}
	secrets := maps.Clone(stored.Secrets)
	maps.Copy(secrets, d.Secrets)
	maps.DeleteFunc(secrets, func(_, value string) bool { return value == "" })
	d.Secrets, d.Version, d.Updated = secrets, stored.Version+1, stored.Updated.Add(time.Second)
	s.sources[d.ID] = d
	return d, nil
}

func (s *memoryStore) Delete(_ context.Context, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sources[id].ReadOnly {
		return fmt.Errorf("%w: %d", datasource.ErrReadOnly, id)
	}
	delete(s.sources, id)
	return nil
}

func (s *memoryStore) App(_ context.Context, id string) (datasource.App, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	app, ok := s.apps[id]
	if !ok {
		return app, datasource.ErrNotFound
	}
	return app, nil
}

func (s *memoryStore) SaveApp(_ context.Context, a datasource.App) (datasource.App, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	secrets := maps.Clone(s.apps[a.PluginID].Secrets)
	if secrets == nil {
		secrets = map[string]string{}
	}
	maps.Copy(secrets, a.Secrets)
	a.Secrets = secrets
	s.apps[a.PluginID] = a
	return a, nil
}

func (s *memoryStore) Ping(context.Context) error { return s.broken }

// fakeGuard lets in whoever says "Bearer good".
type fakeGuard struct{}

func (fakeGuard) Identify(r *http.Request) (access.User, error) {
	if r.Header.Get("Authorization") != "Bearer good" {
		return access.User{}, access.ErrUnauthorized
	}
	return access.User{Login: "admin", Role: access.Admin}, nil
}

// api is a gateway under test.
type api struct {
	t     testing.TB
	host  *fakeHost
	store *memoryStore
	*Gateway
	logs bytes.Buffer
}

// newAPI returns a gateway over one data source "one" of the plugin "p-datasource",
// and the app plugin "an-app".
func newAPI(t testing.TB) *api {
	a := &api{
		t: t,
		host: &fakeHost{plugins: []host.Plugin{
			{Manifest: host.Manifest{ID: "p-datasource", Name: "P", Type: "datasource", Backend: true, Raw: []byte(`{}`)}, State: host.StateReady, PID: 7},
			{Manifest: host.Manifest{ID: "an-app", Name: "An app", Type: "app", Backend: true, Raw: []byte(`{}`)}, Signature: host.SignatureInternal},
		}},
		store: newStore(
			datasource.DataSource{
				UID: "one", Name: "One", Type: "p-datasource", Access: "proxy", URL: "http://one",
				JSON: json.RawMessage(`{"keepCookies":["kept","plugboard_session"]}`), Secrets: map[string]string{"token": secret},
			},
			datasource.DataSource{UID: "two", Name: "Two", Type: "p-datasource", Secrets: map[string]string{"token": secret}},
		),
	}
	a.Gateway = New(Config{
		Host: a.host, Store: a.store, Guard: fakeGuard{}, Version: "1.2.3", Commit: "abc",
		Logger: slog.New(slog.NewTextHandler(&a.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	a.Gateway.subscribe = func(_ context.Context, req *plugin.StreamRequest, renew func(context.Context) (plugin.Context, error)) (subscription, error) {
		return a.host.subscribe(req, renew)
	}
	t.Cleanup(func() {
		if strings.Contains(a.logs.String(), secret) {
			t.Errorf("the log holds a secret:\n%s", a.logs.String())
		}
	})
	return a
}

// call makes a request as the admin; further arguments are headers, name and
// value.
func (a *api) call(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	a.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer good")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	if strings.Contains(w.Body.String(), secret) {
		a.t.Errorf("%s %s answers with a secret: %s", method, target, w.Body)
	}
	return w
}

// want makes a request and compares the whole answer.
func (a *api) want(status int, answer, method, target, body string, headers ...string) {
	a.t.Helper()
	w := a.call(method, target, body, headers...)
	got, _ := io.ReadAll(w.Body)
	if w.Code != status || strings.TrimSpace(string(got)) != answer {
		a.t.Errorf("%s %s answers %d %s\nwant %d %s", method, target, w.Code, got, status, answer)
	}
}

// wantFailure makes a request and compares status, message id and the beginning
// of the message.
func (a *api) wantFailure(status int, id, message, method, target, body string, headers ...string) {
	a.t.Helper()
	w := a.call(method, target, body, headers...)
	var got struct{ Message, MessageID string }
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		a.t.Fatalf("%s %s answers %d %q: %v", method, target, w.Code, w.Body, err)
	}
	if w.Code != status || got.MessageID != id || !strings.HasPrefix(got.Message, message) {
		a.t.Errorf("%s %s answers %d %s\nwant %d %q %q", method, target, w.Code, w.Body, status, id, message)
	}
}
