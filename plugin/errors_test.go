package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"testing"

	"github.com/plugboard/plugboard/plugin"
)

func TestDownstreamStatus(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{errors.New("no answer"), http.StatusBadGateway},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, http.StatusBadGateway},
		{fmt.Errorf("ask: %w", context.DeadlineExceeded), http.StatusGatewayTimeout},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, http.StatusGatewayTimeout},
		{&net.DNSError{IsTimeout: true}, http.StatusGatewayTimeout},
		{fmt.Errorf("ask: %w", plugin.BadRequest("no such city")), http.StatusBadRequest},
		{&plugin.Error{Status: http.StatusTeapot, Err: context.DeadlineExceeded}, http.StatusTeapot},
	} {
		failure, ok := errors.AsType[*plugin.Error](plugin.Downstream(c.err))
		if !ok || failure.Status != c.want || failure.Source != plugin.SourceDownstream || !errors.Is(failure, c.err) {
			t.Errorf("%v: got %+v", c.err, failure)
		}
	}
	if err := plugin.Downstream(nil); err != nil {
		t.Errorf("of nothing: %v", err)
	}
}
