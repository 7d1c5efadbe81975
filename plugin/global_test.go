package plugin_test

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/plugboard/plugboard/plugin"
)

// TestTwoPlugins: two plugins serve in one process, and neither is in the
// other's way, or in that of what is global: metrics, flags, the default log.
func TestTwoPlugins(t *testing.T) {
	logger := slog.Default()
	var metrics [2]string
	for i := range metrics {
		client, stop := serve(plugin.DataSource(openEverything))
		defer stop()
		response, err := client.Query(t.Context(), &plugin.QueryRequest{
			Context: source(`{}`), Queries: []plugin.DataQuery{query("A", `{"text":"you"}`)},
		})
		if err != nil || response.Responses["A"].Error != "" {
			t.Fatalf("plugin %d: %+v, %v", i, response, err)
		}
		text, err := client.Metrics(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		metrics[i] = string(text)
	}
	for i, text := range metrics {
		if !strings.Contains(text, "everything_asked_total{datasource_uid=\"one\"} 1\n") {
			t.Errorf("plugin %d counted not one query, its own:\n%s", i, text)
		}
	}
	if slog.Default() != logger {
		t.Error("the default logger is another")
	}
	flag.VisitAll(func(f *flag.Flag) {
		if !strings.HasPrefix(f.Name, "test.") {
			t.Errorf("there is a flag -%s", f.Name)
		}
	})
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if name := family.GetName(); !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("%s is in the registry of the whole process", name)
		}
	}
}

// TestOwnFlags: a plugin parses flags of its own, those of package flag as
// well, and serves the host that gave them to it.
func TestOwnFlags(t *testing.T) {
	var log lockedBuffer
	cmd := exec.Command(os.Args[0], "-greeting", "servus ", "-v=2")
	cmd.Env = []string{role + "=flags"}
	process := goplugin.NewClient(hostConfig(cmd, &log))
	defer process.Kill()
	client, err := dispense(process)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	response, err := client.Query(t.Context(), &plugin.QueryRequest{
		Context: source(`{}`), Queries: []plugin.DataQuery{query("A", `{"text":"you"}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := cells(t, response.Responses["A"]); got != "servus you" {
		t.Errorf("got %q", got)
	}
}

// serveWithFlags is the main of a plugin with flags.
func serveWithFlags() {
	greeting := flag.String("greeting", "", "what to say before")
	flag.Int("v", 0, "how much to say")
	flag.Parse()
	plugin.Main(plugin.DataSource(func(ctx context.Context, s plugin.Settings[everythingSettings]) (*everything, error) {
		s.Values.Prefix = *greeting
		return openEverything(ctx, s)
	}))
}
