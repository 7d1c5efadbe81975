package ours

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/plugboard/plugboard/conformance/official"
)

// patience is what a test has with another process.
const patience = 20 * time.Second

func TestAutoMTLS(t *testing.T) {
	h, err := official.Launch(exec.Command(os.Args[0]), true, io.Discard)
	defer h.Process.Kill()
	if err != nil {
		t.Fatal(err)
	}
	queryData(t, h, &backend.QueryDataRequest{PluginContext: seattle(), Queries: []backend.DataQuery{query("A", `{"do":"rows"}`)}})
}

func TestKilledWhileAnswering(t *testing.T) {
	h := startEverything(t)
	_, err := h.Data.QueryData(t.Context(), backend.ToProto().QueryDataRequest(&backend.QueryDataRequest{
		PluginContext: seattle(), Queries: []backend.DataQuery{query("A", `{"do":"kill"}`)},
	}))
	if status.Code(err) != codes.Unavailable {
		t.Errorf("got %v", err)
	}
}

// TestShutdown asks the plugin to end while a stream runs.
func TestShutdown(t *testing.T) {
	var log strings.Builder
	h, err := official.Launch(exec.Command(os.Args[0]), false, &log)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := h.Stream.RunStream(t.Context(), &pluginv2.RunStreamRequest{
		PluginContext: backend.ToProto().PluginContext(seattle()), Path: "forever",
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Process.Kill()
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the stream ended with %v", err)
	}
	if strings.Contains(log.String(), "failed to exit gracefully") {
		t.Error("the plugin had to be killed")
	}
}

// TestBothSDKsInOneBinary: this binary, which links both, runs as a plugin and
// names both kinds of messages. Were they registered under the same name, it
// would have panicked before main.
func TestBothSDKsInOneBinary(t *testing.T) {
	for _, name := range []protoreflect.FullName{"pluginv2.QueryDataRequest", "plugboard.wire.QueryDataRequest"} {
		if _, err := protoregistry.GlobalTypes.FindMessageByName(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	startEverything(t)
}

// TestHostKilled starts a host that starts a plugin, and kills the host. Both
// hold the writing end of a pipe: its end is the end of both.
func TestHostKilled(t *testing.T) {
	alive, held, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=host")
	cmd.ExtraFiles = []*os.File{held}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	held.Close()
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "hosting\n" {
		t.Fatalf("the host said %q, %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // "killed"
	if err := alive.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := alive.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the plugin outlives its host: %v", err)
	}
}

// hostUntilKilled is the host of TestHostKilled.
func hostUntilKilled() {
	cmd := exec.Command(os.Args[0])
	cmd.ExtraFiles = []*os.File{os.NewFile(3, "held")}
	h, err := official.Launch(cmd, false, os.Stderr)
	if err == nil {
		_, err = h.Diagnostics.CheckHealth(context.Background(),
			&pluginv2.CheckHealthRequest{PluginContext: backend.ToProto().PluginContext(seattle())})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("hosting")
	select {}
}
