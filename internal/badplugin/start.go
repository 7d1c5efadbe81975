package badplugin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/plugboard/plugboard/wire"
)

func run(mode string) {
	switch mode {
	case Hang:
		forever()
	case Garbage:
		fmt.Println("Hello, I am not a plugin at all.")
		forever()
	case Endless:
		for {
			fmt.Print(strings.Repeat("x", 4096))
		}
	case Noise:
		fmt.Println("starting up, please wait")
	case Exit:
		fmt.Fprintln(os.Stderr, "reading configuration")
		fmt.Fprintln(os.Stderr, "no licence found")
		os.Exit(3)
	case Deaf:
		fmt.Printf("1|2|unix|%s|grpc|\n", filepath.Join(os.TempDir(), "nobody"))
		forever()
	case Mute:
		mute()
	case Flood:
		go flood()
	case BadLog:
		badLog()
	case Gated:
		waitFor(os.Getenv("GF_PLUGIN_GATE"))
	case Orphan:
		leaveChildren()
	case Immortal:
		serveForEver()
	}
	serve(mode)
	if mode == Zombie {
		forever()
	}
}

func serve(mode string) {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  plugin.HandshakeConfig{ProtocolVersion: 2, MagicCookieKey: "grafana_plugin_type", MagicCookieValue: "datasource"},
		VersionedPlugins: map[int]plugin.PluginSet{2: {"all": services{mode: mode}}},
		GRPCServer:       plugin.DefaultGRPCServer,
	})
}

// services registers what the plugin answers.
type services struct {
	plugin.NetRPCUnsupportedPlugin
	mode string
}

func (s services) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	wire.RegisterDataServer(server, &data{chunked: s.mode == Chunked, server: server})
	wire.RegisterDiagnosticsServer(server, diagnostics{})
	wire.RegisterResourceServer(server, resource{})
	wire.RegisterStreamServer(server, newStreams())
	if s.mode == Chunked {
		wire.RegisterPluginServer(server, description{})
	}
	return nil
}

func (services) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("this is a plugin, not a host")
}

// forever does nothing, for longer than any test.
func forever() { time.Sleep(time.Hour) }

// mute accepts connections and leaves them alone.
func mute() {
	path := filepath.Join(os.TempDir(), "mute")
	listener, err := net.Listen("unix", path)
	if err != nil {
		panic(err)
	}
	fmt.Printf("1|2|unix|%s|grpc|\n", path)
	for {
		if _, err := listener.Accept(); err != nil {
			panic(err)
		}
	}
}

// asked is closed when the first query has come.
var (
	asked    = make(chan struct{})
	setAsked = sync.OnceFunc(func() { close(asked) })
)

// flood writes to the real stdout and stderr, around what go-plugin puts in
// their place.
func flood() {
	stdout, stderr := os.Stdout, bufio.NewWriterSize(os.Stderr, 64<<10)
	line := strings.Repeat("flood ", 100)
	<-asked // before, it would stand where the handshake should
	for {
		fmt.Fprintln(stderr, line)
		fmt.Fprint(stdout, line)
	}
}

// badLog prints what a careless reader of logs trips over.
func badLog() {
	for _, line := range []string{
		`{"@message":5,"@level":["info"],"@timestamp":false}`,
		`{"@message":"unfinished`,
		`{}`, `null`, `[]`, `{"@level":"info"}`,
		`{"@level":"error","@message":"a real error","zone":"b","cause":{"deep":[1]}}`,
		strings.Repeat("long", 100_000),
		"",
	} {
		fmt.Fprintln(os.Stderr, line)
	}
}

// waitFor returns when a file exists.
func waitFor(path string) {
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// children are the process ids that leaveChildren has started.
var children []int

// leaveChildren starts two processes that hold our output open: one in our
// process group, one that leaves it.
func leaveChildren() {
	for _, escapes := range []bool{false, true} {
		command := Command(Hang)
		child := exec.Command(command[0], command[1:]...)
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if escapes {
			leaveGroup(child)
		}
		if err := child.Start(); err != nil {
			panic(err)
		}
		children = append(children, child.Process.Pid)
	}
}
