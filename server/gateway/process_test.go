package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plugboard/plugboard/host"
)

// logOf answers with n lines.
func logOf(n int64, more <-chan struct{}) func(string, int64) ([]host.LogLine, <-chan struct{}, error) {
	return func(_ string, after int64) ([]host.LogLine, <-chan struct{}, error) {
		var lines []host.LogLine
		for i := after + 1; i <= n; i++ {
			lines = append(lines, host.LogLine{Number: i, Time: time.UnixMilli(0).UTC(), Level: slog.LevelWarn, Message: "bad " + secret, Attrs: "n=1"})
		}
		return lines, more, nil
	}
}

func TestPluginLogs(t *testing.T) {
	a := newAPI(t)
	a.host.logs = logOf(500, nil)
	a.want(200, `[{"number":500,"time":"1970-01-01T00:00:00Z","level":"warn","message":"bad [secret]","attrs":"n=1"}]`,
		"GET", "/api/plugins/p-datasource/logs?lines=1", "")
	if n := strings.Count(a.call("GET", "/api/plugins/p-datasource/logs", "").Body.String(), "number"); n != defaultLines {
		t.Errorf("%d lines", n)
	}
	a.want(200, `[]`, "GET", "/api/plugins/p-datasource/logs?lines=0", "")
	a.wantFailure(400, "", "bad request data: lines", "GET", "/api/plugins/p-datasource/logs?lines=-1", "")
	a.wantFailure(404, "", "Not found", "HEAD", "/api/plugins/p-datasource/logs?follow=1", "")
	a.wantFailure(404, "", "Plugin not found", "GET", "/api/plugins/nosuch/logs", "")
	a.host.logs = func(string, int64) ([]host.LogLine, <-chan struct{}, error) { return nil, nil, host.ErrNoBackend }
	a.wantFailure(503, "plugin.unavailable", "Plugin unavailable", "GET", "/api/plugins/an-app/logs", "")
}

// TestFollowLogs: who comes back with the number of the last line misses none.
func TestFollowLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		more := make(chan struct{})
		a.host.logs = logOf(2, more)
		ctx, leave := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, "GET", "/api/plugins/p-datasource/logs?follow=1", nil)
		r.Header.Set("Authorization", "Bearer good")
		r.Header.Set("Last-Event-ID", "1")
		w := httptest.NewRecorder()
		done := make(chan bool)
		go func() { a.ServeHTTP(w, r); close(done) }()
		synctest.Wait()
		a.host.logs = logOf(3, make(chan struct{}))
		close(more)
		time.Sleep(heartbeat + time.Second)
		leave()
		<-done
		const line = "id: %d\ndata: {\"number\":%[1]d,\"time\":\"1970-01-01T00:00:00Z\",\"level\":\"warn\",\"message\":\"bad [secret]\",\"attrs\":\"n=1\"}\n\n"
		want := ": following\n\n" + fmt.Sprintf(line, 2) + fmt.Sprintf(line, 3) + ": alive\n\n"
		if w.Code != 200 || w.Body.String() != want || w.Header().Get("Content-Type") != "text/event-stream" {
			t.Errorf("%d %v\n%s\nwant\n%s", w.Code, w.Header(), w.Body, want)
		}

		// One who wants no old lines gets none, later either.
		more = make(chan struct{})
		a.host.logs = logOf(3, more)
		go func() {
			synctest.Wait()
			a.host.logs = logOf(3, nil)
			close(more)
			synctest.Wait()
			a.EndStreams()
		}()
		if w := a.call("GET", "/api/plugins/p-datasource/logs?follow=1&lines=0", ""); w.Body.String() != ": following\n\n" {
			t.Errorf("%q", w.Body)
		}
	})
}
