//go:build unix

package plugin_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/wire"
)

// entered starts a plugin as a host does, with more in the environment, and
// returns the fields of its first line.
func entered(t *testing.T, env ...string) (*exec.Cmd, []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), "grafana_plugin_type=datasource", "PLUGIN_PROTOCOL_VERSIONS=2"), env...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd, strings.Split(strings.TrimSuffix(line, "\n"), "|")
}

// dial connects to a plugin as a host that is not go-plugin.
func dial(t *testing.T, socket string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestEntrance: what a host says in the environment, and what it is told.
func TestEntrance(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct {
		env  []string
		rest string // of the line, behind the address
		mode os.FileMode
	}{
		"plain":       {nil, "grpc|", 0},
		"group":       {[]string{"PLUGIN_UNIX_SOCKET_GROUP=" + strconv.Itoa(os.Getgid())}, "grpc|", 0o660},
		"multiplexed": {[]string{"PLUGIN_MULTIPLEX_GRPC=true"}, "grpc||false", 0},
		"version 3":   {[]string{"PLUGIN_PROTOCOL_VERSIONS=1,3"}, "grpc|", 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, fields := entered(t, append(test.env, "PLUGIN_UNIX_SOCKET_DIR="+dir)...)
			if got := strings.Join(fields[:3], "|"); got != "1|2|unix" {
				t.Errorf("the line begins with %q", got)
			}
			if got := strings.Join(fields[4:], "|"); got != test.rest {
				t.Errorf("the line ends with %q", got)
			}
			if filepath.Dir(fields[3]) != dir {
				t.Errorf("the socket is %s", fields[3])
			}
			info, err := os.Stat(fields[3])
			if err != nil || test.mode != 0 && info.Mode().Perm() != test.mode {
				t.Errorf("%v, %v", info.Mode(), err)
			}
		})
	}
}

// TestNoEntrance: what is wrong is said to whoever reads stderr, and nothing is
// left behind.
func TestNoEntrance(t *testing.T) {
	for env, want := range map[string]string{
		"PLUGIN_CLIENT_CERT=nonsense":            "PLUGIN_CLIENT_CERT holds no certificate",
		"PLUGIN_UNIX_SOCKET_GROUP=no-such-group": "no-such-group",
		"PLUGIN_UNIX_SOCKET_DIR=/no/such/dir":    "/no/such/dir",
	} {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "grafana_plugin_type=datasource", "PLUGIN_UNIX_SOCKET_DIR="+dir, env)
		output, err := cmd.CombinedOutput()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 || !strings.Contains(string(output), want) {
			t.Errorf("%s: %v\n%s", env, err, output)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v, %v", env, left, err)
		}
	}
}

// TestProcessCalls makes go-plugin's calls without it.
func TestProcessCalls(t *testing.T) {
	cmd, fields := entered(t)
	conn := dial(t, fields[3])

	health := grpc_health_v1.NewHealthClient(conn)
	answer, err := health.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "plugin"})
	if answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("%v, %v", answer, err)
	}
	if _, err := health.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: "other"}); status.Code(err) != codes.NotFound {
		t.Errorf("another service: %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	stream, err := wire.NewGRPCBrokerClient(conn).StartStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&wire.Empty{}); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := stream.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("the broker's stream ended with %v", err)
	}

	if err := cmd.Process.Signal(os.Interrupt); err != nil { // Ctrl-C in the host's terminal
		t.Fatal(err)
	}
	if _, err := health.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{}); err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
	if _, err := wire.NewGRPCControllerClient(conn).Shutdown(t.Context(), &wire.Empty{}); err != nil && status.Code(err) != codes.Unavailable {
		t.Errorf("shut down: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := os.Stat(fields[3]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its socket: %v", err)
	}
}

// TestStranger: with mutual TLS only the host that started the plugin comes in.
func TestStranger(t *testing.T) {
	config := hostConfig(exec.Command(os.Args[0]), io.Discard)
	config.AutoMTLS = true
	process := goplugin.NewClient(config)
	defer process.Kill()
	if _, err := dispense(process); err != nil {
		t.Fatal(err)
	}
	conn := dial(t, process.ReattachConfig().Addr.String())
	_, err := plugin.NewClient(conn).CheckHealth(t.Context(), &plugin.HealthRequest{Context: source(`{}`)})
	if !errors.Is(err, plugin.ErrUnavailable) {
		t.Errorf("a stranger got %v", err)
	}
}

// TestPrinted prints more than pipes and windows hold.
func TestPrinted(t *testing.T) {
	var stdout, stderr lockedBuffer
	config := hostConfig(exec.Command(os.Args[0]), io.Discard)
	config.SyncStdout, config.SyncStderr = &stdout, &stderr
	process := goplugin.NewClient(config)
	defer process.Kill()
	client, err := dispense(process)
	if err != nil {
		t.Fatal(err)
	}
	const lines = 20_000
	_, err = client.Query(t.Context(), &plugin.QueryRequest{
		Context: source(`{}`), Queries: []plugin.DataQuery{query("A", `{"do":"print","text":"as ordered\n","rows":`+strconv.Itoa(lines)+`}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Repeat("as ordered\n", lines)
	eventually(t, "of what was printed", func() bool {
		return stdout.String() == "to stdout\n"+want && stderr.String() == want
	})
}

// TestNobodyReads: a host that has died reads neither the log nor what is
// printed, and the plugin ends in order all the same.
func TestNobodyReads(t *testing.T) {
	cmd, fields := entered(t)
	conn := dial(t, fields[3])
	client := plugin.NewClient(conn)
	printing := make(chan error, 1)
	go func() {
		_, err := client.Query(t.Context(), &plugin.QueryRequest{
			Context: source(`{}`), Queries: []plugin.DataQuery{query("A", `{"do":"print","text":"as ordered\n","rows":20000}`)},
		})
		printing <- err
	}()
	eventually(t, "instance", func() bool {
		answer, err := client.CheckHealth(t.Context(), &plugin.HealthRequest{Context: source(`{}`)})
		return err == nil && answer.Status == plugin.HealthOK
	})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	<-printing
}
