package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/host/hosttest"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

// TestWalk runs the plugin inside the test.
func TestWalk(t *testing.T) {
	client := plugintest.Start(t, plugin.DataSource(open))
	request := &plugin.StreamRequest{
		Context: plugin.Context{DataSource: &plugin.DataSourceSettings{JSON: []byte(`{"stepMs":1}`)}},
		Path:    "walk",
	}
	if reply, err := client.Subscribe(t.Context(), request); err != nil || reply.Status != plugin.StreamOK {
		t.Fatalf("got %v, %v", reply, err)
	}

	var packets []string
	enough := errors.New("enough")
	err := client.RunStream(t.Context(), request, func(packet []byte) error {
		packets = append(packets, string(packet))
		if len(packets) == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatal(err)
	}
	for i, packet := range packets {
		if hasSchema := strings.Contains(packet, `"schema"`); hasSchema != (i == 0) {
			t.Errorf("packet %d: %s", i, packet)
		}
	}
}

// TestProcess runs it as a host does, which shares one walk among all who
// listen.
func TestProcess(t *testing.T) {
	p := hosttest.Run(t, ".", plugin.Context{DataSource: &plugin.DataSourceSettings{UID: "w", JSON: []byte(`{"stepMs":1}`)}})
	subscribe := func(path string) (*host.Subscription, error) {
		return p.Host.Subscribe(t.Context(), &plugin.StreamRequest{Context: p.Context, Path: path}, nil)
	}
	first, err := subscribe("walk")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	packet, err := first.Next(t.Context())
	if err != nil || !strings.HasPrefix(string(packet), `{"schema":{"name":"walk","fields":[{"name":"time",`) {
		t.Fatalf("got %s, %v", packet, err)
	}

	second, err := subscribe("walk")
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	// The second packet: the first may repeat the schema for a late listener.
	var late []byte
	for range 2 {
		if late, err = second.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for n := 0; string(packet) != string(late); n++ {
		if packet, err = first.Next(t.Context()); err != nil || n == 10_000 {
			t.Fatalf("the second listener got %s, which the first did not: %v", late, err)
		}
	}

	if _, err := subscribe("run"); !errors.Is(err, host.ErrStreamNotFound) {
		t.Errorf("no such channel: got %v", err)
	}
	if frames, err := p.Query(`{}`); err != nil || frames[0].Rows() != 1 {
		t.Errorf("got %v, %v", frames, err)
	}
}

func TestSuite(t *testing.T) {
	plugintest.Suite(t, plugin.DataSource(open), plugintest.Subject{
		Context: plugin.Context{DataSource: &plugin.DataSourceSettings{UID: "walk"}},
		Query:   `{}`, Changing: true, BadSettings: []string{`{"stepMs":-1}`},
	})
}
