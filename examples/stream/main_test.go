package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

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
