package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
)

// standaloneKey asks a plugin that a person starts, mostly from a debugger, to
// serve without a host: with the folder of its plugin.json, or with 1.
const standaloneKey = "PLUGBOARD_STANDALONE"

// standaloneFlag asks so too, as the only argument there is: debuggers are set
// up with it for plugins on the official SDK. A plugin's flags are its own.
const standaloneFlag = "-standalone"

// The files by which a plugin that serves standalone is found: its address,
// and its process. They are the official SDK's.
const (
	addressFile = "standalone.txt"
	pidFile     = "pid.txt"
)

// standaloneAsked tells whether the plugin is to serve standalone, and in
// which folder if that was said. A host passes its own environment on.
func standaloneAsked() (folder string, asked bool) {
	if slices.Equal(os.Args[1:], []string{standaloneFlag}) || slices.Equal(os.Args[1:], []string{"-" + standaloneFlag}) {
		return "", true
	}
	switch text := os.Getenv(standaloneKey); {
	case text == "" || text == "0" || text == "false" || os.Getenv(cookieKey) == cookieValue:
		return "", false
	case text == "1" || text == "true":
		return "", true
	default:
		return text, true
	}
}

// serveStandalone serves p at an address of its own until ctx ends or somebody
// presses Ctrl-C, and says where in the plugin's folder. The executable in that
// folder leads hosts there: see leave.
func serveStandalone(ctx context.Context, p Plugin, folder string) error {
	home, err := findHome(folder)
	if err != nil {
		return fmt.Errorf("serve standalone: %w", err)
	}
	if pid, ok := home.servedBy(); ok {
		return fmt.Errorf("serve standalone: process %d serves the plugin in %s already", pid, home.dir)
	}
	address := home.configured()
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("serve standalone: %w", err)
	}
	if err := home.announce(listener.Addr().String()); err != nil {
		return errors.Join(fmt.Errorf("serve standalone: %w", err), listener.Close())
	}
	defer home.withdraw()

	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	logger.Info("serving standalone: hosts that run this plugin come here until Ctrl-C",
		"plugin", home.id, "address", listener.Addr().String(), "folder", home.dir)
	return ServeListener(ctx, p, listener, logger)
}

// announce writes the files, the one with the process first: whoever sees an
// address then sees, too, whether it is still good.
func (h home) announce(address string) error {
	return errors.Join(
		os.WriteFile(filepath.Join(h.dir, pidFile), strconv.AppendInt(nil, int64(os.Getpid()), 10), 0o600),
		os.WriteFile(filepath.Join(h.dir, addressFile), []byte(address), 0o600),
	)
}

func (h home) withdraw() {
	_ = os.Remove(filepath.Join(h.dir, addressFile))
	_ = os.Remove(filepath.Join(h.dir, pidFile))
}
