package plugin_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/plugboard/plugboard/plugin"
)

// ward is an app with a resource that takes its time, a stream, and a Close
// that notes what had ended before.
type ward struct {
	*site
	streamed chan struct{}
	closed   chan string
}

func (w *ward) RunStream(ctx context.Context, _ plugin.Channel, to *plugin.Sender) error {
	to.KeepLatest(1)
	err := to.SendJSON([]byte(`1`))
	<-ctx.Done()
	close(w.streamed)
	return err
}

func (w *ward) Close() error {
	noted := ""
	select {
	case <-w.streamed:
		noted += "the stream, "
	default:
	}
	select {
	case <-w.ended:
		noted += "the resource"
	default:
	}
	w.closed <- noted
	return nil
}

// TestDrainUnderWay asks a plugin to end while it answers a resource and runs a
// stream: the stream ends at once, the answer when it is whole, and then the
// instance is closed.
func TestDrainUnderWay(t *testing.T) {
	s, _ := openSite(t.Context(), plugin.Settings[struct{}]{})
	w := &ward{s, make(chan struct{}), make(chan string, 1)}
	app := plugin.App(func(context.Context, plugin.Settings[struct{}]) (*ward, error) { return w, nil })
	l := listen(t, &connections{})
	serving, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- plugin.ServeListener(serving, app, l, slog.New(slog.DiscardHandler)) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := plugin.NewClient(conn)

	streamed, running := make(chan error, 1), make(chan struct{})
	go func() {
		streamed <- client.RunStream(t.Context(), &plugin.StreamRequest{Context: plugin.Context{PluginID: "ward"}}, func([]byte) error {
			close(running)
			return nil
		})
	}()
	<-running
	var body string
	err = client.CallResource(t.Context(), &plugin.ResourceRequest{
		Context: plugin.Context{PluginID: "ward"}, Path: "slow", Method: http.MethodGet,
	}, func(r plugin.ResourceResponse) error {
		if body += string(r.Body); body == "first" {
			stop()
			if err := <-streamed; !errors.Is(err, plugin.ErrUnavailable) {
				t.Errorf("the stream ended with %v", err)
			}
			if _, err := client.CheckHealth(t.Context(), &plugin.HealthRequest{}); err == nil {
				t.Error("a call was taken")
			}
			close(<-s.blocked)
		}
		return nil
	})
	if err != nil || body != "firstsecond" {
		t.Errorf("%q, %v", body, err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if noted := <-w.closed; noted != "the stream, the resource" {
		t.Errorf("closed after %q", noted)
	}
}
