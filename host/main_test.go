package host_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/internal/badplugin"
	"github.com/plugboard/plugboard/plugin"
)

func TestMain(m *testing.M) {
	if badplugin.Run() {
		return
	}
	if isKilled() {
		return
	}
	before := descriptors()
	code := m.Run()
	if left := leftGoroutines(); len(left) > 0 && code == 0 {
		fmt.Fprintf(os.Stderr, "goroutines are left after the tests:\n%s\n", bytes.Join(left, []byte("\n\n")))
		code = 1
	}
	left := slices.DeleteFunc(descriptors(), func(open string) bool { return slices.Contains(before, open) })
	if len(left) > 0 && code == 0 {
		fmt.Fprintf(os.Stderr, "descriptors are left open after the tests: %q\n", left)
		code = 1
	}
	os.Exit(code)
}

// descriptors returns the sockets, pipes and processes that are open, on Linux.
func descriptors() []string {
	paths, _ := filepath.Glob("/proc/self/fd/*")
	var open []string
	for _, path := range paths {
		what, _ := os.Readlink(path)
		if strings.HasPrefix(what, "socket:") || strings.HasPrefix(what, "pipe:") || strings.Contains(what, "pidfd") {
			open = append(open, filepath.Base(path)+" "+what)
		}
	}
	return open
}

// leftGoroutines returns the stacks of goroutines that run code of ours, of
// go-plugin's or of gRPC's and do not end soon.
func leftGoroutines() [][]byte {
	deadline := time.Now().Add(5 * time.Second)
	for {
		buffer := make([]byte, 4<<20)
		stacks := bytes.Split(buffer[:runtime.Stack(buffer, true)], []byte("\n\n"))
		left := slices.DeleteFunc(stacks[1:], func(stack []byte) bool {
			return !bytes.Contains(stack, []byte("plugboard/host")) &&
				!bytes.Contains(stack, []byte("hashicorp/go-plugin")) &&
				!bytes.Contains(stack, []byte("google.golang.org/grpc"))
		})
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		<-time.After(10 * time.Millisecond)
	}
}

// bundled is the bad plugin in one of its modes, under the mode's name.
func bundled(mode string) host.Bundled {
	return host.Bundled{Manifest: badplugin.Manifest(mode, mode), Command: badplugin.Command(mode)}
}

// running makes a host and runs it until the end of the test.
func running(t testing.TB, c host.Config) *host.Host {
	t.Helper()
	h, err := host.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return h
}

// started waits for a plugin, whose start would count as time of a call.
func started(t testing.TB, h *host.Host, id string) {
	t.Helper()
	eventually(t, "the start of "+id, func() bool {
		p, _ := h.Plugin(id)
		return p.State == host.StateReady
	})
}

// withModes runs a host of the bad plugin in several modes, which may crash as
// often as they like.
func withModes(t testing.TB, modes ...string) *host.Host {
	t.Helper()
	c := host.Config{Crashes: -1}
	for _, mode := range modes {
		c.Bundled = append(c.Bundled, bundled(mode))
	}
	return running(t, c)
}

func queryOf(pluginID string, order badplugin.Order) *plugin.QueryRequest {
	return &plugin.QueryRequest{
		Context: plugin.Context{PluginID: pluginID, DataSource: &plugin.DataSourceSettings{ID: 1, UID: "ds"}},
		Queries: []plugin.DataQuery{{RefID: "A", JSON: order.JSON()}},
	}
}

// ask returns the answer to one order.
func ask(t testing.TB, h *host.Host, pluginID string, order badplugin.Order) (string, error) {
	t.Helper()
	response, err := h.Query(t.Context(), queryOf(pluginID, order))
	if err != nil {
		return "", err
	}
	return valueOf(t, response.Responses["A"].Frames[0]), nil
}

func mustAsk(t testing.TB, h *host.Host, pluginID string, order badplugin.Order) string {
	t.Helper()
	answer, err := ask(t, h, pluginID, order)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// valueOf returns the single value of the bad plugin's frames.
func valueOf(t testing.TB, frame []byte) string {
	t.Helper()
	var decoded struct {
		Data struct{ Values [][]string }
	}
	if err := json.Unmarshal(frame, &decoded); err != nil {
		t.Fatalf("frame %s: %v", frame, err)
	}
	return decoded.Data.Values[0][0]
}

// patience is what another process may take on a busy machine.
const patience = time.Minute

// eventually waits for something that another process does.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after %v", what, patience)
		}
		<-time.After(2 * time.Millisecond)
	}
}
