package server

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/server/history"
	"github.com/plugboard/plugboard/server/telemetry"
)

// Of a process that the system tells nothing of, such as one that runs
// elsewhere, the plugin is asked: tellPatience bounds one answer, readPatience
// all.
const (
	tellPatience = time.Second
	readPatience = 5 * time.Second
)

// readings tells how the counters of all plugins stand.
func (s *Server) readings(ctx context.Context) []history.Reading {
	ctx, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	calls := map[string]telemetry.Calls{}
	for id, c := range s.telemetry.Calls() {
		p, _ := s.host.Plugin(id) // which may be an alias
		sum := calls[p.Manifest.ID]
		calls[p.Manifest.ID] = telemetry.Calls{Made: sum.Made + c.Made, Failed: sum.Failed + c.Failed}
	}
	var readings []history.Reading
	for _, p := range s.host.Plugins() {
		if p.State == host.StateNoBackend {
			continue
		}
		c := calls[p.Manifest.ID]
		readings = append(readings, history.Reading{Plugin: p.Manifest.ID, Usage: s.usage(ctx, p), Calls: c.Made, Failed: c.Failed})
	}
	return readings
}

// usage returns what a plugin's process uses, nil if nobody tells.
func (s *Server) usage(ctx context.Context, p host.Plugin) *history.Usage {
	if u, ok := s.host.Usage(p.Manifest.ID); ok {
		return &history.Usage{PID: u.PID, CPU: u.CPU, Memory: float64(u.Memory)}
	}
	if p.State != host.StateReady {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, tellPatience)
	defer cancel()
	text, err := s.host.Metrics(ctx, p.Manifest.ID)
	if err != nil {
		return nil
	}
	return toldUsage(text)
}

// toldUsage reads what a plugin's own metrics say of its process, as Prometheus'
// client libraries name it.
func toldUsage(text []byte) *history.Usage {
	var u history.Usage
	found := 0
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		number, err := strconv.ParseFloat(string(value), 64)
		if err != nil {
			continue
		}
		switch string(name) {
		case "process_cpu_seconds_total":
			u.CPU = time.Duration(number * float64(time.Second))
			found++
		case "process_resident_memory_bytes":
			u.Memory = number
			found++
		}
	}
	if found < 2 {
		return nil
	}
	return &u
}
