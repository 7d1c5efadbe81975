package host_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/internal/badplugin"
	"github.com/plugboard/plugboard/plugin"
)

func withConfig(t testing.TB, c host.Config, modes ...string) *host.Host {
	t.Helper()
	for _, mode := range modes {
		c.Bundled = append(c.Bundled, bundled(mode))
	}
	return running(t, c)
}

// A plugin that crashes again and again is left alone, until somebody starts
// it; what happened is on record.
func TestQuarantine(t *testing.T) {
	h := withConfig(t, host.Config{}, badplugin.Good, badplugin.Chunked)
	for range 3 {
		_, err := ask(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoCrash})
		if !errors.Is(err, plugin.ErrUnavailable) {
			t.Fatalf("the crash: %v", err)
		}
	}
	var p host.Plugin
	eventually(t, "quarantine", func() bool {
		p, _ = h.Plugin(badplugin.Good)
		return p.State == host.StateQuarantined
	})
	_, err := ask(t, h, badplugin.Good, badplugin.Order{})
	if !errors.Is(err, plugin.ErrUnavailable) || !strings.Contains(err.Error(), "quarantine: 3 crashes within 5m0s, the last: its process ended (exit status 7)") {
		t.Errorf("a call to it: %v", err)
	}
	mustAsk(t, h, badplugin.Chunked, badplugin.Order{})

	events, _, err := h.Events(badplugin.Good, 0)
	if err != nil {
		t.Fatal(err)
	}
	last := events[len(events)-1]
	if last.State != host.StateQuarantined || last.Exit == nil || last.Exit.Code != 7 || last.PID == 0 || last.Time.IsZero() {
		t.Errorf("the last event %+v", last)
	}
	if p.Entered[host.StateReady] != 3 || p.Entered[host.StateQuarantined] != 1 {
		t.Errorf("states entered: %v", p.Entered)
	}
	if err := h.Start(t.Context(), badplugin.Good); err != nil {
		t.Fatal(err)
	}
	mustAsk(t, h, badplugin.Good, badplugin.Order{})
}

func TestExitIsOnRecord(t *testing.T) {
	h := withConfig(t, host.Config{Crashes: -1}, badplugin.Good, badplugin.Exit)
	mustAsk(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoPrint, Say: "famous last words"})
	_, _ = ask(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoPanic})
	var died host.Event
	eventually(t, "the death", func() bool {
		events, _, _ := h.Events(badplugin.Good, 0)
		for _, e := range events {
			if e.Exit != nil {
				died = e
			}
		}
		return died.Exit != nil
	})
	if e := died.Exit; e.Code != 2 || e.Signal != "" || e.OutOfMemory || !strings.Contains(strings.Join(e.Stderr, "\n"), "panic: ordered to panic") {
		t.Errorf("%+v", e)
	}
	p, _ := h.Plugin(badplugin.Good)
	if p.Exits["exit status 2"] != 1 || p.LastExit == nil || p.LastExit.PeakRSS == 0 {
		t.Errorf("exits %v, the last %+v", p.Exits, p.LastExit)
	}
	eventually(t, "the first failure to start", func() bool {
		p, _ := h.Plugin(badplugin.Exit)
		return p.LastExit != nil
	})
	if events, _, _ := h.Events(badplugin.Exit, 0); len(events) < 2 || events[1].Exit == nil || events[1].Exit.Code != 3 || !slices.Contains(events[1].Exit.Stderr, "no licence found") {
		t.Errorf("events of one that does not start: %+v", events)
	}
	if _, _, err := h.Events("nobody", 0); !errors.Is(err, host.ErrNotFound) {
		t.Errorf("an unknown plugin: %v", err)
	}
}

func TestStopAndStart(t *testing.T) {
	h := withConfig(t, host.Config{}, badplugin.Good)
	pid := mustAsk(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoPID})
	if err := h.Stop(t.Context(), badplugin.Good); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t, h, badplugin.Good, badplugin.Order{}); !errors.Is(err, plugin.ErrUnavailable) || !strings.Contains(err.Error(), "stopped on request") {
		t.Errorf("a call to one that is stopped: %v", err)
	}
	if err := h.Start(t.Context(), badplugin.Good); err != nil {
		t.Fatal(err)
	}
	if again := mustAsk(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoPID}); again == pid {
		t.Errorf("process %s lives on", pid)
	}
}

// What changes something is not kept waiting by a plugin that has failed: the
// caller learns why, at once.
func TestCallsThatChangeSomethingFailFast(t *testing.T) {
	h := withConfig(t, host.Config{Crashes: -1, StartTimeout: time.Minute}, badplugin.Exit)
	eventually(t, "the first failure", func() bool {
		p, _ := h.Plugin(badplugin.Exit)
		return p.LastError != ""
	})
	post := &plugin.ResourceRequest{Context: queryOf(badplugin.Exit, badplugin.Order{}).Context, Method: http.MethodPost}
	err := h.CallResource(t.Context(), post, func(plugin.ResourceResponse) error { return nil })
	if !errors.Is(err, plugin.ErrUnavailable) || !strings.Contains(err.Error(), "no licence found") {
		t.Errorf("error %v", err)
	}
}

func TestLimitOfTime(t *testing.T) {
	h := withConfig(t, host.Config{Limits: host.Limits{Time: 100 * time.Millisecond}}, badplugin.Good)
	if err := h.Start(t.Context(), badplugin.Good); err != nil {
		t.Fatal(err)
	}
	_, err := ask(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoHang})
	told, ok := errors.AsType[*plugin.Error](err)
	if !ok || told.Status != http.StatusGatewayTimeout || told.Message != "stopped after 100ms, because a request may take no longer" {
		t.Errorf("error %v", err)
	}
}

// Of an answer that is too large nothing is received.
func TestLimitOfBytes(t *testing.T) {
	h := withConfig(t, host.Config{Limits: host.Limits{Bytes: 1 << 20}}, badplugin.Good)
	_, err := ask(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoBig, Size: 64 << 20})
	told, ok := errors.AsType[*plugin.Error](err)
	if !ok || told.Status != http.StatusRequestEntityTooLarge || !strings.Contains(told.Message, "because the answer to a request may have 1048576") {
		t.Errorf("error %v", err)
	}
	mustAsk(t, h, badplugin.Good, badplugin.Order{Do: badplugin.DoBig, Size: 1 << 19})
}

// Calls beyond the limit wait, and beyond that are refused; a data source that
// floods the plugin does not keep the calls of another out.
func TestLimitOfCalls(t *testing.T) {
	h := withConfig(t, host.Config{Limits: host.Limits{Calls: 2, CallsPerDataSource: 1, Waiting: 1}}, badplugin.Good)
	ctx, cancel := context.WithCancel(t.Context())
	hang := queryOf(badplugin.Good, badplugin.Order{Do: badplugin.DoHang})
	var hanging sync.WaitGroup
	for range 2 { // one is asked, one waits
		hanging.Go(func() { _, _ = h.Query(ctx, hang) })
	}
	eventually(t, "one call waiting", func() bool {
		p, _ := h.Plugin(badplugin.Good)
		return p.Calls == 1 && p.Waiting == 1
	})
	_, err := ask(t, h, badplugin.Good, badplugin.Order{})
	if !errors.Is(err, host.ErrBusy) || !strings.Contains(err.Error(), "good: too many calls wait: 1 are under way and 1 wait") {
		t.Errorf("a call too many: %v", err)
	}
	other := queryOf(badplugin.Good, badplugin.Order{})
	other.Context.DataSource = &plugin.DataSourceSettings{ID: 2, UID: "other"}
	if _, err := h.Query(t.Context(), other); err != nil {
		t.Errorf("a call to another data source: %v", err)
	}
	cancel()
	hanging.Wait()
	mustAsk(t, h, badplugin.Good, badplugin.Order{})
}
