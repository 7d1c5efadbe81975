// Command device is a data source over a device on TCP, a greenhouse: readings
// of its sensors, and commands to its switches, over a few connections that
// are kept open.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

func main() { plugin.Main(plugin.DataSource(open)) }

type settings struct {
	// Address is the device's host:port.
	Address string `json:"url"`
	// Connections is how many it is to have at most; 0 means 2.
	Connections int `json:"connections"`
}

type model struct {
	Sensor string `json:"sensor" plugboard:"text"`
}

// patience bounds one command.
const patience = 5 * time.Second

// device is one data source. The mux makes it an http.Handler.
type device struct {
	*http.ServeMux
	address string
	// places has a place for each connection that may be open. Who takes one
	// gets the connection in it, or nil if there is none yet.
	places chan *line
}

// line is a connection to the device: a line out, a line back.
type line struct {
	net.Conn
	answers *bufio.Reader
}

func open(_ context.Context, s plugin.Settings[settings]) (*device, error) {
	if _, _, err := net.SplitHostPort(s.Values.Address); err != nil {
		return nil, plugin.BadRequest("settings: url must be the device's host:port: %w", err)
	}
	if s.Values.Connections <= 0 {
		s.Values.Connections = 2
	}
	d := &device{http.NewServeMux(), s.Values.Address, make(chan *line, s.Values.Connections)}
	for range s.Values.Connections {
		d.places <- nil
	}
	d.HandleFunc("PUT /switches/{name}", d.command)
	return d, nil
}

// Close closes the connections. All calls have ended, so all are in their
// places.
func (d *device) Close() error {
	var faults []error
	for range cap(d.places) {
		if l := <-d.places; l != nil {
			faults = append(faults, l.Close())
		}
	}
	return errors.Join(faults...)
}

func (d *device) Query(ctx context.Context, q plugin.Query[model]) (frame.Frames, error) {
	answer, err := d.ask(ctx, "READ", q.Model.Sensor)
	if err != nil {
		return nil, err
	}
	value, err := strconv.ParseFloat(answer, 64)
	if err != nil {
		return nil, plugin.Downstream(fmt.Errorf("the device reads %q, which is no number", answer))
	}
	return frame.Frames{frame.New("reading",
		frame.NewField("time", nil, []time.Time{time.Now()}),
		frame.NewField("value", frame.Labels{"sensor": q.Model.Sensor}, []float64{value}))}, nil
}

func (d *device) CheckHealth(ctx context.Context) (plugin.Health, error) {
	name, err := d.ask(ctx, "HELLO")
	return plugin.Health{Message: "connected to " + name}, err
}

// command puts the body of the request, such as "on", to a switch.
func (d *device) command(w http.ResponseWriter, r *http.Request) {
	if user := plugin.ContextFrom(r.Context()).User; user == nil || user.Role == "Viewer" {
		http.Error(w, "viewers look, and touch nothing", http.StatusForbidden)
		return
	}
	position, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 100))
	if err == nil {
		_, err = d.ask(r.Context(), "SET", r.PathValue("name"), strings.TrimSpace(string(position)))
	}
	if err != nil {
		status := http.StatusBadGateway
		if failure, ok := errors.AsType[*plugin.Error](err); ok {
			status = failure.Status
		}
		http.Error(w, err.Error(), status)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// ask sends a command and returns the device's answer. If the connection has
// died since it was last used, it asks again over a fresh one: every command
// says how things are to be, so that the device may hear it twice.
func (d *device) ask(ctx context.Context, words ...string) (string, error) {
	for _, word := range words {
		if word == "" || strings.ContainsAny(word, " \r\n") {
			return "", plugin.BadRequest("%q is no word that the device would know", word)
		}
	}
	var l *line
	select {
	case l = <-d.places:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	used := l != nil
	l, answer, err := d.exchange(ctx, l, strings.Join(words, " "))
	if err != nil && used && ctx.Err() == nil {
		l, answer, err = d.exchange(ctx, nil, strings.Join(words, " "))
	}
	d.places <- l
	if err != nil {
		return "", plugin.Downstream(fmt.Errorf("device: %w", err))
	}
	if reason, refused := strings.CutPrefix(answer, "ERR "); refused {
		return "", plugin.BadRequest("device: %s", reason)
	}
	return strings.TrimSpace(strings.TrimPrefix(answer, "OK")), nil
}

// exchange sends one line and receives one, over l or, if that is nil, a fresh
// connection. It returns the connection if it is fit for more.
func (d *device) exchange(ctx context.Context, l *line, command string) (*line, string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if l == nil {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.address)
		if err != nil {
			return nil, "", err
		}
		l = &line{conn, bufio.NewReaderSize(conn, 1024)}
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	_, err := fmt.Fprintln(l, command)
	var answer []byte
	if err == nil {
		answer, err = l.answers.ReadSlice('\n') // fails if it is longer than 1024 bytes
	}
	if !stop() {
		return nil, "", ctx.Err()
	}
	if err != nil {
		l.Close()
		return nil, "", err
	}
	return l, strings.TrimSpace(string(answer)), nil
}
