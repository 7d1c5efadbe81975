package plugin_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/plugboard/plugboard/plugin"
)

// patience is what a test has with another process.
const patience = 20 * time.Second

// hostConfig is what a host of this protocol tells go-plugin.
func hostConfig(cmd *exec.Cmd, log io.Writer) *goplugin.ClientConfig {
	return &goplugin.ClientConfig{
		HandshakeConfig:  goplugin.HandshakeConfig{MagicCookieKey: "grafana_plugin_type", MagicCookieValue: "datasource"},
		VersionedPlugins: map[int]goplugin.PluginSet{2: {"plugin": hostEnd{}}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Cmd:              cmd,
		Logger:           hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Trace}),
	}
}

type hostEnd struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (hostEnd) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return errors.New("a host") }

func (hostEnd) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return plugin.NewClient(conn), nil
}

func dispense(client *goplugin.Client) (*plugin.Client, error) {
	protocol, err := client.Client()
	if err != nil {
		return nil, err
	}
	dispensed, err := protocol.Dispense("plugin")
	if err != nil {
		return nil, err
	}
	return dispensed.(*plugin.Client), nil
}

// lockedBuffer is written to by go-plugin and read by a test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestProcess(t *testing.T) {
	for _, mtls := range []bool{false, true} {
		t.Run(fmt.Sprint("mTLS ", mtls), func(t *testing.T) {
			var log lockedBuffer
			config := hostConfig(exec.Command(os.Args[0]), &log)
			config.AutoMTLS = mtls
			process := goplugin.NewClient(config)
			defer process.Kill()
			client, err := dispense(process)
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Query(t.Context(), &plugin.QueryRequest{
				Context: source(`{"prefix":"hi "}`),
				Queries: []plugin.DataQuery{query("A", `{"text":"you"}`), query("B", `{"do":"panic"}`)},
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := cells(t, response.Responses["A"]); got != "hi you" {
				t.Errorf("got %q", got)
			}
			process.Kill()
			if strings.Contains(log.String(), "failed to exit gracefully") {
				t.Error("the plugin did not end when asked to")
			}
			for _, want := range []string{
				"[INFO]  plugin.test: opened: ", "dsUid=one", `settings.prefix="hi "`, "settings.error=none",
				"[ERROR] plugin.test: the plugin panicked:", `panic="as ordered"`, "everything_test.go:",
			} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("no %s in\n%s", want, log.String())
				}
			}
		})
	}
}

func TestLargeRequest(t *testing.T) {
	process := goplugin.NewClient(hostConfig(exec.Command(os.Args[0]), io.Discard))
	defer process.Kill()
	client, err := dispense(process)
	if err != nil {
		t.Fatal(err)
	}
	err = client.CallResource(t.Context(), &plugin.ResourceRequest{
		Context: source(`{}`), Path: "nothing", Method: "POST", Body: make([]byte, 32<<20),
	}, func(plugin.ResourceResponse) error { return nil })
	if err != nil {
		t.Error(err)
	}
}

func TestSIGTERM(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "grafana_plugin_type=datasource", "PLUGIN_PROTOCOL_VERSIONS=2")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	handshake, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Split(handshake, "|")
	if got := strings.Join(append(fields[:3:3], fields[4:]...), "|"); got != "1|2|unix|grpc|\n" {
		t.Errorf("handshake %q", handshake)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := os.Stat(fields[3]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its socket: %v", err)
	}
}

func TestStartedByHand(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=plugin")
	output, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Errorf("it ended with %v", err)
	}
	for _, want := range []string{"plugin.test is a data source plugin", "plugboard serve --plugins /"} {
		if !strings.Contains(string(output), want) {
			t.Errorf("no %q in\n%s", want, output)
		}
	}
}

// TestHostKilled starts a host that starts a plugin, and kills the host. Both
// hold the writing end of a pipe: its end is the end of both, and the plugin
// says before that its instance was closed.
func TestHostKilled(t *testing.T) {
	alive, held, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	host := exec.Command(os.Args[0])
	host.Env = append(os.Environ(), role+"=host")
	host.ExtraFiles = []*os.File{held}
	stdout, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	held.Close()
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "hosting\n" {
		t.Fatalf("the host said %q, %v", line, err)
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait() // "killed"
	if err := alive.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if said, err := io.ReadAll(alive); err != nil || string(said) != "closed" {
		t.Errorf("the plugin said %q, then %v", said, err)
	}
}

// hostUntilKilled is the host of TestHostKilled.
func hostUntilKilled() {
	cmd := exec.Command(os.Args[0])
	cmd.ExtraFiles = []*os.File{os.NewFile(3, "held")}
	client, err := dispense(goplugin.NewClient(hostConfig(cmd, os.Stderr)))
	if err == nil {
		_, err = client.CheckHealth(context.Background(), &plugin.HealthRequest{Context: source(`{}`)})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("hosting")
	select {}
}
