package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/internal/badplugin"
)

// asHost makes the test binary a host that starts a plugin with children at a
// level of the sandbox, prints its process id and waits to be killed.
const asHost = "as-host"

func TestMain(m *testing.M) {
	if badplugin.Run() {
		return
	}
	if len(os.Args) == 3 && os.Args[1] == asHost {
		c := config(badplugin.Orphan)
		c.Policy.Level = os.Args[2]
		p, err := Start(context.Background(), c)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(p.PID())
		select {}
	}
	code := m.Run()
	cells.Close()
	if left := leftGoroutines(); left != "" && code == 0 {
		fmt.Fprintf(os.Stderr, "goroutines are left after the tests:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// leftGoroutines returns the stacks of goroutines that run code of ours, of
// go-plugin's or of gRPC's and do not end soon.
func leftGoroutines() string {
	deadline := time.Now().Add(5 * time.Second)
	for {
		left := goroutines("plugboard/host", "hashicorp/go-plugin", "google.golang.org/grpc")
		if left == "" || time.Now().After(deadline) {
			return left
		}
		<-time.After(10 * time.Millisecond)
	}
}

func goroutines(packages ...string) string {
	buffer := make([]byte, 4<<20)
	stacks := bytes.Split(buffer[:runtime.Stack(buffer, true)], []byte("\n\n"))
	var left []string
	for _, stack := range stacks[1:] {
		for _, name := range packages {
			if bytes.Contains(stack, []byte(name)) {
				left = append(left, string(stack))
				break
			}
		}
	}
	return strings.Join(left, "\n\n")
}

// eventually waits for something that another process does.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after 10 s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}
