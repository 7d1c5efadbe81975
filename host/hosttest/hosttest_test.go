package hosttest_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/plugboard/plugboard/host/hosttest"
	"github.com/plugboard/plugboard/plugin"
)

func TestRun(t *testing.T) {
	p := hosttest.Run(t, "testdata/echo", plugin.Context{
		DataSource: &plugin.DataSourceSettings{UID: "e", JSON: []byte(`{"prefix":"you said "}`)},
	})

	frames, err := p.Query(`{"say":"hello"}`)
	if err != nil || fmt.Sprint(frames[0].Fields[0].At(0)) != "you said hello" {
		t.Errorf("got %v, %v", frames, err)
	}
	_, err = p.Query(`{}`)
	if failure, ok := errors.AsType[*plugin.Error](err); !ok || failure.Status != http.StatusBadRequest ||
		failure.Source != plugin.SourceDownstream || failure.Message != "nothing to say" {
		t.Errorf("nothing: got %v", err)
	}

	health, err := p.CheckHealth()
	if err != nil || health.Message != "plugboard-echo-datasource 0.1.0" {
		t.Errorf("got %+v, %v", health, err)
	}

	answer, err := p.Call(http.MethodPut, "a/b?q=c", "body")
	if err != nil || answer.Status != http.StatusAccepted || answer.Messages != 2 || answer.Body != "PUT /a/b c body" {
		t.Errorf("got %+v, %v", answer, err)
	}
}

func TestStart(t *testing.T) {
	conn, err := net.Dial("tcp", hosttest.Start(t, "testdata/listener", "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if said, err := io.ReadAll(conn); err != nil || string(said) != "welcome\n" {
		t.Errorf("it said %q, %v", said, err)
	}
}
