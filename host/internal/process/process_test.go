package process

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/plugboard/plugboard/host/internal/sandbox"
	"github.com/plugboard/plugboard/internal/badplugin"
	"github.com/plugboard/plugboard/wire"
)

// cells is the sandbox of all tests' processes.
var cells = sandbox.New(sandbox.Config{})

func config(mode string) Config {
	return Config{ID: "bad-datasource", Command: badplugin.Command(mode), Sandbox: cells}
}

func started(t *testing.T, c Config) *Process {
	t.Helper()
	p, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

// ask sends one query and returns the frame it is answered with.
func ask(ctx context.Context, p *Process, order badplugin.Order) (string, error) {
	response, err := wire.NewDataClient(p.Conn()).QueryData(ctx, &wire.QueryDataRequest{
		PluginContext: &wire.PluginContext{},
		Queries:       []*wire.DataQuery{{RefId: "A", Json: order.JSON(), TimeRange: &wire.TimeRange{}}},
	})
	if err != nil {
		return "", err
	}
	return string(response.Responses["A"].Frames[0]), nil
}

func TestProcessAnswersAndStops(t *testing.T) {
	p := started(t, config(badplugin.Good))
	answer, err := ask(t.Context(), p, badplugin.Order{Say: "hello"})
	if err != nil || !strings.Contains(answer, "hello") {
		t.Fatalf("answer %q, %v", answer, err)
	}
	if err := p.Err(); err != nil {
		t.Errorf("it runs, but Err says %v", err)
	}

	p.Stop()
	select {
	case <-p.Done():
	default:
		t.Error("Stop returned before the process had ended")
	}
	if _, err := os.Stat(p.dir.path); !os.IsNotExist(err) {
		t.Errorf("its socket's directory is left: %v", err)
	}
	if _, err := ask(t.Context(), p, badplugin.Order{}); err == nil {
		t.Error("a stopped process answers")
	}
	p.Stop()
}

func TestProcessThatDoesNotStart(t *testing.T) {
	tests := map[string][]string{
		badplugin.Garbage: {`"Hello, I am not a plugin at all."`, "handshake should be"},
		badplugin.Noise:   {`"starting up, please wait"`, "prints before it serves"},
		badplugin.Endless: {`"xxxxxxxx`, "…"},
		badplugin.Exit:    {"ended while it started: exit status 3", "reading configuration / no licence found"},
		badplugin.Deaf:    {"nothing answers at its address"},
	}
	for mode, wants := range tests {
		t.Run(mode, func(t *testing.T) {
			p, err := Start(t.Context(), config(mode))
			if err == nil {
				p.Stop()
				t.Fatal("it started")
			}
			for _, want := range wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, which does not say %q", err, want)
				}
			}
			if len(err.Error()) > 500 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestStartGivesUp(t *testing.T) {
	for _, mode := range []string{badplugin.Hang, badplugin.Mute} {
		t.Run(mode+" for too long", func(t *testing.T) {
			t.Parallel()
			c := config(mode)
			c.StartTimeout = 300 * time.Millisecond
			_, err := Start(t.Context(), c)
			if err == nil || !strings.Contains(err.Error(), "in time") {
				t.Errorf("error %v", err)
			}
		})
		t.Run(mode+" and nobody waits", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			if _, err := Start(ctx, config(mode)); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestProcessThatDies(t *testing.T) {
	tests := map[string]string{
		badplugin.DoCrash: "exit status 7",
		badplugin.DoPanic: "exit status 2",
	}
	for order, how := range tests {
		t.Run(order, func(t *testing.T) {
			p := started(t, config(badplugin.Good))
			if _, err := ask(t.Context(), p, badplugin.Order{Do: order}); status.Code(err) != codes.Unavailable {
				t.Errorf("the call under which it died: %v", err)
			}
			<-p.Done()
			exit, ok := errors.AsType[*ExitError](p.Err())
			if !ok || exit.How != how {
				t.Fatalf("it ended with %v, not %s", p.Err(), how)
			}
			if order == badplugin.DoPanic && !strings.Contains(strings.Join(exit.Stderr, "\n"), "goroutine") {
				t.Errorf("its last words are %q", exit.Stderr)
			}
		})
	}
}

func TestProcessWithoutShutdownIsKilled(t *testing.T) {
	t.Parallel()
	p := started(t, config(badplugin.Immortal))
	if answer, err := ask(t.Context(), p, badplugin.Order{Say: "hello"}); err != nil || !strings.Contains(answer, "hello") {
		t.Errorf("answer %q, %v", answer, err)
	}
	p.Stop()
	if !strings.Contains(p.Err().Error(), "killed") {
		t.Errorf("it ended with: %v", p.Err())
	}
}

func TestNoiseDoesNotStopAProcess(t *testing.T) {
	for _, mode := range []string{badplugin.Flood, badplugin.BadLog} {
		t.Run(mode, func(t *testing.T) {
			p := started(t, config(mode))
			for range 20 {
				if _, err := ask(t.Context(), p, badplugin.Order{Do: badplugin.DoPrint, Say: strings.Repeat("print", 10_000)}); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestEnvironmentIsNotInherited(t *testing.T) {
	t.Setenv("PLUGBOARD_TEST_SECRET", "do not tell")
	c := config(badplugin.Good)
	c.Env = []string{"GF_PLUGIN_COLOUR=green"}
	answer, err := ask(t.Context(), started(t, c), badplugin.Order{Do: badplugin.DoEnv})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(answer, "do not tell") || !strings.Contains(answer, "GF_PLUGIN_COLOUR=green") {
		t.Errorf("the plugin's environment:\n%s", answer)
	}
}

// A temporary directory as long as some systems have it would make a socket's
// path too long.
func TestLongTempDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	started(t, config(badplugin.Good))
}

func TestLogIsPassedOn(t *testing.T) {
	var lines strings.Builder
	c := config(badplugin.BadLog)
	c.Logger = slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelWarn}))
	p := started(t, c)
	p.Stop()
	if !strings.Contains(lines.String(), `level=ERROR msg="a real error" plugin=bad-datasource cause=map[deep:[1]] zone=b`) {
		t.Errorf("the log:\n%s", lines.String())
	}
}
