package host_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/host/hosttest"
	"github.com/plugboard/plugboard/plugin"
)

// A restart is another process under the same id, and the log tells of both.
func TestRestart(t *testing.T) {
	p := hosttest.Run(t, "hosttest/testdata/echo", plugin.Context{DataSource: &plugin.DataSourceSettings{UID: "e"}})
	id := p.Context.PluginID
	if _, err := p.Query(`{"say":"hello"}`); err != nil {
		t.Fatal(err)
	}
	before, _ := p.Host.Plugin(id)
	if err := p.Host.Restart(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	after, _ := p.Host.Plugin(id)
	if after.State != host.StateReady || after.PID == before.PID || after.Restarts != 0 {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	if _, err := p.Query(`{"say":"hello"}`); err != nil {
		t.Error(err)
	}
	lines, _, err := p.Host.Logs(id, 0)
	var text strings.Builder
	for _, line := range lines {
		text.WriteString(line.Message + "\n")
	}
	if err != nil || strings.Count(text.String(), "plugin started\n") != 2 || !strings.Contains(text.String(), "restarted on request\n") {
		t.Errorf("%v; the log:\n%s", err, text.String())
	}
	if err := p.Host.Restart(t.Context(), "nobody"); !errors.Is(err, host.ErrNotFound) {
		t.Errorf("an unknown plugin: %v", err)
	}
	if _, _, err := p.Host.Logs("nobody", 0); !errors.Is(err, host.ErrNotFound) {
		t.Errorf("an unknown plugin: %v", err)
	}
}
