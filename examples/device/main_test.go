package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/host/hosttest"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

func read(t *testing.T, p *hosttest.Plugin, sensor string) float64 {
	t.Helper()
	frames, err := p.Query(fmt.Sprintf(`{"sensor":%q}`, sensor))
	if err != nil {
		t.Fatalf("%s: %v", sensor, err)
	}
	value, _ := frame.Value[float64](frames[0].Field("value"), 0)
	return value
}

func TestGreenhouse(t *testing.T) {
	p := hosttest.Run(t, ".", plugin.Context{
		User: &plugin.User{Login: "gardener", Role: "Editor"},
		DataSource: &plugin.DataSourceSettings{
			UID: "g", URL: hosttest.Start(t, "./simulator", "127.0.0.1:0"), JSON: []byte(`{"connections":3}`),
		},
	})
	if health, err := p.CheckHealth(); err != nil || health.Message != "connected to greenhouse" {
		t.Errorf("got %+v, %v", health, err)
	}

	if got := read(t, p, "temperature"); got != 18.5 {
		t.Errorf("got %v", got)
	}
	if answer, err := p.Call(http.MethodPut, "switches/heater", "on\n"); err != nil || answer.Status != http.StatusNoContent {
		t.Errorf("got %+v, %v", answer, err)
	}
	if got := read(t, p, "temperature"); got != 24.5 {
		t.Errorf("after switching on: got %v", got)
	}

	var many sync.WaitGroup
	for range 50 {
		many.Go(func() {
			if _, err := p.Query(`{"sensor":"temperature"}`); err != nil {
				t.Error(err)
			}
		})
	}
	many.Wait()
	if n := read(t, p, "connections"); n < 1 || n > 3 {
		t.Errorf("it took %v connections", n)
	}
}

func TestRefusals(t *testing.T) {
	p := hosttest.Run(t, ".", plugin.Context{
		User:       &plugin.User{Login: "gardener", Role: "Editor"},
		DataSource: &plugin.DataSourceSettings{UID: "g", URL: hosttest.Start(t, "./simulator", "127.0.0.1:0")},
	})
	for sensor, want := range map[string]string{
		"mood":                "device: no such sensor or switch",
		"":                    `"" is no word that the device would know`,
		`x\nSET heater on`:    `"x\nSET heater on" is no word that the device would know`,
		"temperature SET hot": `"temperature SET hot" is no word that the device would know`,
	} {
		if _, err := p.Query(`{"sensor":"` + sensor + `"}`); err == nil || err.Error() != want {
			t.Errorf("%s: got %v", sensor, err)
		}
	}

	// The device hangs up when it is told so, and again when told anew.
	answer, err := p.Call(http.MethodPut, "switches/power", "off")
	if err != nil || answer.Status != http.StatusBadGateway || answer.Body != "device: EOF\n" {
		t.Errorf("got %+v, %v", answer, err)
	}
	if got := read(t, p, "temperature"); got != 18.5 {
		t.Errorf("after it hung up: got %v", got)
	}

	p.Context.User.Role = "Viewer"
	if answer, err := p.Call(http.MethodPut, "switches/heater", "on"); err != nil || answer.Status != http.StatusForbidden {
		t.Errorf("a viewer: got %+v, %v", answer, err)
	}
	p.Context.DataSource.URL, p.Context.DataSource.Updated = "127.0.0.1:1", time.Now()
	if _, err := p.Query(`{"sensor":"temperature"}`); err == nil || !strings.HasPrefix(err.Error(), "device: dial tcp 127.0.0.1:1: ") {
		t.Errorf("nobody there: got %v", err)
	}
}

// TestDeadConnection lets the device close a connection between two calls.
func TestDeadConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	defer serving.Wait()
	defer listener.Close()
	serving.Go(func() { // each connection is good for one answer
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 100))
			fmt.Fprintln(conn, "OK 1")
			conn.Close()
		}
	})
	p := hosttest.Run(t, ".", plugin.Context{DataSource: &plugin.DataSourceSettings{
		UID: "g", URL: listener.Addr().String(), JSON: []byte(`{"connections":1}`),
	}})
	for range 3 {
		if got := read(t, p, "temperature"); got != 1 {
			t.Errorf("got %v", got)
		}
	}
}

// TestGivingUp has a caller leave while the device thinks: the one connection
// that the device may have is free for the next.
func TestGivingUp(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{})
	var serving sync.WaitGroup
	defer serving.Wait()
	defer listener.Close()
	serving.Go(func() {
		thinking, err := listener.Accept()
		if err != nil {
			return
		}
		defer thinking.Close()
		_, _ = thinking.Read(make([]byte, 100))
		close(asked)
		quick, err := listener.Accept()
		if err != nil {
			return
		}
		defer quick.Close()
		_, _ = quick.Read(make([]byte, 100))
		fmt.Fprintln(quick, "OK 1")
	})
	p := hosttest.Run(t, ".", plugin.Context{DataSource: &plugin.DataSourceSettings{
		UID: "g", URL: listener.Addr().String(), JSON: []byte(`{"connections":1}`),
	}})

	ctx, giveUp := context.WithCancel(t.Context())
	defer giveUp()
	serving.Go(func() {
		select {
		case <-asked:
			giveUp()
		case <-ctx.Done():
		}
	})
	_, err = p.Host.Query(ctx, &plugin.QueryRequest{
		Context: p.Context, Queries: []plugin.DataQuery{{RefID: "A", JSON: []byte(`{"sensor":"temperature"}`)}},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := read(t, p, "temperature"); got != 1 {
		t.Errorf("the next got %v", got)
	}
}

func TestSuite(t *testing.T) {
	plugintest.Suite(t, plugin.DataSource(open), plugintest.Subject{
		Context: plugin.Context{
			User:       &plugin.User{Login: "gardener", Role: "Editor"},
			DataSource: &plugin.DataSourceSettings{UID: "g", URL: hosttest.Start(t, "./simulator", "127.0.0.1:0")},
		},
		Query: `{"sensor":"temperature"}`, Changing: true, BadQueries: []string{`{"sensor":""}`},
	})
}
