package plugin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A plugin that a host starts while another process serves it standalone leads
// the host there, as plugins on the official SDK do: it gives the other's
// address for its own and waits. It is a locator then.

// locateTime is how often a locator, and a plugin that could become one, looks
// whether that other process is there. locatePatience is how long that may
// take to accept a connection.
const (
	locateTime     = time.Second
	locatePatience = time.Second
)

// errLed ends a plugin because another process has taken its place, or has left
// it: the host starts it again, and it becomes a locator, or stops to be one.
// The status with which Main exits then tells our host that it is no crash.
var errLed = errors.New("the plugin is to be started again: another process has begun to serve it, or ended")

const handedOver = 75

// executableHome is the folder that the executable lies in, as hosts start it.
func executableHome() home {
	path, err := os.Executable()
	if err != nil {
		return home{}
	}
	dir := filepath.Dir(path)
	if h, ok := readHome(dir); ok {
		return h
	}
	return home{dir: dir}
}

// standalone returns the address at which another process serves the plugin;
// empty if none does. Only configured ones may turn out to be nobody's.
func (h home) standalone() string {
	if h.dir == "" || os.Getenv(certificateKey) != "" { // a locator has no key for that certificate
		return ""
	}
	if address := h.configured(); h.id != "" && address != "" {
		return address
	}
	if _, served := h.servedBy(); !served {
		return ""
	}
	text, err := os.ReadFile(filepath.Join(h.dir, addressFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// reachable tells whether somebody listens at an address.
func reachable(address string) bool {
	conn, err := net.DialTimeout("tcp", address, locatePatience)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// locate leads the host to address until it is gone, ctx ends, or nobody
// serves the plugin there any more.
func (h home) locate(ctx context.Context, host *hostWatch, address string) error {
	fmt.Printf("%d|%d|tcp|%s|grpc\n", coreProtocol, protocolVersion, address)
	tick := time.NewTicker(locateTime)
	defer tick.Stop()
	parent := host.parent()
	for h.standalone() == address {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if host.parent() != parent {
			return errHostGone
		}
	}
	return errLed
}

// awaitStandalone returns when another process has come to serve the plugin, or
// ctx ends.
func (h home) awaitStandalone(ctx context.Context) error {
	tick := time.NewTicker(locateTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if _, served := h.servedBy(); served && reachable(h.standalone()) {
			return errLed
		}
	}
}
