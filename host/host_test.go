package host_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/internal/badplugin"
	"github.com/plugboard/plugboard/plugin"
)

func TestInstalledPluginAnswers(t *testing.T) {
	dir := t.TempDir()
	if _, err := badplugin.Install(filepath.Join(dir, "a", "dist"), "a-datasource", badplugin.Good); err != nil {
		t.Fatal(err)
	}
	h := running(t, host.Config{PluginDirs: []string{dir}, AllowUnsigned: []string{"a-datasource"}})
	if answer := mustAsk(t, h, "a-datasource", badplugin.Order{Say: "hello"}); answer != "hello" {
		t.Errorf("answer %q", answer)
	}
	p, ok := h.Plugin("a-datasource")
	if !ok || p.State != host.StateReady || p.PID == 0 || p.Signature != host.SignatureUnsigned || p.Dir != filepath.Join(dir, "a", "dist") {
		t.Errorf("plugin: %+v", p)
	}
}

func TestUnsignedPluginIsRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := badplugin.Install(dir, "a-datasource", badplugin.Good); err != nil {
		t.Fatal(err)
	}
	h := running(t, host.Config{PluginDirs: []string{dir}, AllowUnsigned: []string{"another"}})
	if _, err := ask(t, h, "a-datasource", badplugin.Order{}); !errors.Is(err, host.ErrNotFound) {
		t.Errorf("error %v", err)
	}
	faults := h.Faults()
	if len(faults) != 1 || faults[0].PluginID != "a-datasource" || faults[0].Path != dir || !strings.Contains(faults[0].Reason, "AllowUnsigned") {
		t.Errorf("faults: %v", faults)
	}
}

func TestPluginsThatCannotBeCalled(t *testing.T) {
	h := running(t, host.Config{Bundled: []host.Bundled{{Manifest: []byte(`{"id": "p-panel", "type": "panel"}`)}}})
	if _, err := ask(t, h, "nobody", badplugin.Order{}); !errors.Is(err, host.ErrNotFound) || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("an unknown plugin: %v", err)
	}
	if _, err := ask(t, h, "p-panel", badplugin.Order{}); !errors.Is(err, host.ErrNoBackend) {
		t.Errorf("a panel: %v", err)
	}
	if p, _ := h.Plugin("p-panel"); p.State != host.StateNoBackend || p.Signature != host.SignatureInternal {
		t.Errorf("plugin: %+v", p)
	}
}

func TestAliases(t *testing.T) {
	b := bundled(badplugin.Good)
	b.Aliases = []string{"old-name"}
	h := running(t, host.Config{Bundled: []host.Bundled{b}})
	mustAsk(t, h, "old-name", badplugin.Order{})
	if plugins := h.Plugins(); len(plugins) != 1 {
		t.Errorf("%d plugins", len(plugins))
	}
}

// What the host knows travels with every call, whatever the caller leaves out.
func TestContextIsFilledIn(t *testing.T) {
	app := bundled(badplugin.Good)
	app.Manifest = []byte(strings.Replace(string(app.Manifest), `"datasource"`, `"app"`, 1))
	h := running(t, host.Config{
		Bundled:        []host.Bundled{app},
		GrafanaConfig:  map[string]string{"GF_APP_URL": "http://here", "GF_SQL_ROW_LIMIT": "5"},
		GrafanaVersion: "12.1.0",
	})
	answer := mustAsk(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoContext})
	for _, want := range []string{
		`"org_id":1`, `"plugin_id":"good"`, `"plugin_version":"1.0.0"`, `"namespace":"default"`, `"user_agent":"Grafana/12.1.0 (`,
		`"app_instance_settings":{"json_data":"e30="`, `"data_source_instance_settings":{`, // e30= is {}
		`"GF_APP_URL":"http://here"`, `"GF_SQL_ROW_LIMIT":"5"`, `"GF_SQL_MAX_OPEN_CONNS_DEFAULT":"100"`,
	} {
		if !strings.Contains(answer, want) {
			t.Errorf("the plugin does not see %s in %s", want, answer)
		}
	}
}

func TestPluginEnvironment(t *testing.T) {
	t.Setenv("DATABASE_PASSWORD", "do not tell")
	t.Setenv("https_proxy", "http://proxy")
	h := running(t, host.Config{
		Bundled:     []host.Bundled{bundled(badplugin.Good)},
		PluginEnv:   map[string]map[string]string{badplugin.Good: {"colour": "green"}, "another": {"colour": "red"}},
		OTLPAddress: "localhost:4317", TraceRatio: .5,
	})
	answer := mustAsk(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoEnv})
	for _, want := range []string{"GF_PLUGIN_COLOUR=green", "https_proxy=http://proxy", "GF_VERSION=12.4.0",
		"GF_INSTANCE_OTLP_ADDRESS=localhost:4317", "GF_INSTANCE_OTLP_SAMPLER_PARAM=0.500000", "GF_PLUGIN_LOG_LEVEL=info"} {
		if !strings.Contains(answer, want) {
			t.Errorf("%s is missing in its environment", want)
		}
	}
	if strings.Contains(answer, "do not tell") || strings.Contains(answer, "red") {
		t.Errorf("its environment:\n%s", answer)
	}
}

func TestOtherCalls(t *testing.T) {
	h := withModes(t, badplugin.Good)
	c := queryOf(badplugin.Good, badplugin.Order{}).Context

	health, err := h.CheckHealth(t.Context(), &plugin.HealthRequest{Context: c})
	if err != nil || health.Status != plugin.HealthOK {
		t.Errorf("health: %+v, %v", health, err)
	}
	var body, statuses string
	err = h.CallResource(t.Context(), &plugin.ResourceRequest{Context: c, Method: "GET", Path: "a//b"}, func(r plugin.ResourceResponse) error {
		body += string(r.Body)
		if r.Status != 0 {
			statuses += strconv.Itoa(r.Status)
		}
		return nil
	})
	if err != nil || body != "GET a//b" || statuses != "201" {
		t.Errorf("resource: %q, status %s, %v", body, statuses, err)
	}
	if _, err := h.Metrics(t.Context(), badplugin.Good); !errors.Is(err, plugin.ErrNotImplemented) {
		t.Errorf("metrics: %v", err)
	}
	if _, err := h.Describe(t.Context(), badplugin.Good); !errors.Is(err, plugin.ErrNotImplemented) {
		t.Errorf("describe: %v", err)
	}
}

func TestCallerGivesUp(t *testing.T) {
	h := withModes(t, badplugin.Good)
	mustAsk(t, h, badplugin.Good, badplugin.Order{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := h.Query(ctx, queryOf(badplugin.Good, badplugin.Order{Do: badplugin.DoHang})); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	mustAsk(t, h, badplugin.Good, badplugin.Order{})
}

func TestFailureOfThePluginsOwn(t *testing.T) {
	h := withModes(t, badplugin.Good)
	_, err := ask(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoFail})
	failure, ok := errors.AsType[*plugin.Error](err)
	if !ok || failure.Message != "ordered to fail" || failure.Source != plugin.SourcePlugin {
		t.Errorf("error %v", err)
	}
}

func TestCallsWaitForAStart(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	h := running(t, host.Config{
		Bundled:   []host.Bundled{bundled(badplugin.Gated)},
		PluginEnv: map[string]map[string]string{badplugin.Gated: {"gate": gate}},
		Wait:      time.Minute,
	})
	eventually(t, "it is starting", func() bool { p, _ := h.Plugin(badplugin.Gated); return p.State == host.StateStarting })
	answered := make(chan error)
	go func() {
		_, err := h.Query(t.Context(), queryOf(badplugin.Gated, badplugin.Order{}))
		answered <- err
	}()
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

func TestPluginsThatDoNotStart(t *testing.T) {
	for mode, want := range map[string]string{
		badplugin.Hang:    "not ready after 5s",
		badplugin.Garbage: "I am not a plugin at all",
		badplugin.Exit:    "exit status 3",
	} {
		t.Run(mode, func(t *testing.T) {
			h := running(t, host.Config{Bundled: []host.Bundled{bundled(mode), bundled(badplugin.Good)}, Wait: 5 * time.Second})
			_, err := ask(t, h, mode, badplugin.Order{})
			if !errors.Is(err, plugin.ErrUnavailable) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), mode) {
				t.Errorf("error %v", err)
			}
			mustAsk(t, h, badplugin.Good, badplugin.Order{})
		})
	}
}

// A start that fails is tried again, the first one too.
func TestExecutableThatComesLater(t *testing.T) {
	dir := t.TempDir()
	path, err := badplugin.Install(dir, "late", badplugin.Good)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".new"); err != nil {
		t.Fatal(err)
	}
	h := running(t, host.Config{PluginDirs: []string{dir}, AllowUnsigned: []string{"*"}})
	eventually(t, "it fails to start", func() bool { p, _ := h.Plugin("late"); return strings.Contains(p.LastError, "is missing") })
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it starts", func() bool { p, _ := h.Plugin("late"); return p.State == host.StateReady })
	mustAsk(t, h, "late", badplugin.Order{})
}

func TestRunLeavesNothingBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	h, err := host.New(host.Config{Bundled: []host.Bundled{bundled(badplugin.Good), bundled(badplugin.Flood), bundled(badplugin.Hang)}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.Run(ctx) }()
	mustAsk(t, h, badplugin.Good, badplugin.Order{})
	mustAsk(t, h, badplugin.Flood, badplugin.Order{})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, p := range h.Plugins() {
		if p.State != host.StateStopped || p.PID != 0 {
			t.Errorf("%s is %s", p.Manifest.ID, p.State)
		}
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("left in the temporary directory: %v", left)
	}
	if _, err := ask(t, h, badplugin.Good, badplugin.Order{}); !errors.Is(err, plugin.ErrUnavailable) {
		t.Errorf("a call after Run: %v", err)
	}
	if err := h.Run(t.Context()); err == nil {
		t.Error("Run runs twice")
	}
}

func TestNothingPerCallIsLogged(t *testing.T) {
	var log strings.Builder
	h, err := host.New(host.Config{
		Bundled: []host.Bundled{bundled(badplugin.Good)},
		Logger:  slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.Run(ctx) }()
	for range 10 {
		mustAsk(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoPrint, Say: "chatter"})
	}
	cancel()
	<-ended
	if lines := strings.Count(log.String(), "\n"); lines != 2 || !strings.Contains(log.String(), "msg=sandbox") || !strings.Contains(log.String(), `msg="plugin started" plugin=good`) {
		t.Errorf("logged:\n%s", log.String())
	}
}

func TestFaultsOfTheConfiguration(t *testing.T) {
	_, err := host.New(host.Config{
		PluginDirs:     []string{""},
		GrafanaVersion: "twelve",
		StartTimeout:   -1,
		Wait:           -1,
		PluginEnv:      map[string]map[string]string{"a": {"b=c": "d"}},
	})
	for _, want := range []string{"PluginDirs[0]", "GrafanaVersion", "StartTimeout", "Wait", `PluginEnv["a"]["b=c"]`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named in: %v", want, err)
		}
	}
	if _, err := host.New(host.Config{Bundled: []host.Bundled{{Manifest: []byte("{")}}}); err == nil || !strings.Contains(err.Error(), "Bundled[0]") {
		t.Errorf("a broken manifest: %v", err)
	}
	if _, err := host.New(host.Config{}); err != nil {
		t.Errorf("the zero Config: %v", err)
	}
}
