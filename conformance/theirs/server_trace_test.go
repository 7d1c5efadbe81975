package theirs

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/conformance/collector"
	"github.com/plugboard/plugboard/server"
	"github.com/plugboard/plugboard/server/config"
)

// TestTraceThroughServer follows a trace from a request to our server into a
// plugin on the official SDK, by what both send to a collector.
func TestTraceThroughServer(t *testing.T) {
	to := collector.Start(t)
	s, err := server.New(t.Context(), server.Config{
		Config: config.Config{
			Listen: "127.0.0.1:0", Data: t.TempDir(), PluginDirs: []string{pluginDir}, AllowUnsigned: []string{"*"}, Anonymous: true, OTLPAddress: to.Address,
		},
		Version: "1.2.3", Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	post := func(path, body string) []byte {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Addr()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v %s", path, response.StatusCode, err, text)
		}
		return text
	}
	var made struct{ Datasource struct{ UID string } }
	if err := json.Unmarshal(post("/api/datasources", `{"name":"Every","type":"`+dataSourceID+`","access":"proxy"}`), &made); err != nil {
		t.Fatal(err)
	}
	post("/api/ds/query", `{"from":"1000","to":"5000","queries":[{"refId":"A","rows":1,"datasource":{"uid":"`+made.Datasource.UID+`"}}]}`)
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}

	all := to.All()
	var path []string
	for _, span := range to.Spans("sdk.queryData") {
		for up, known := span, true; known; up, known = all[up.Parent()] {
			path = append([]string{up.Service + " " + up.Name}, path...)
			if up.Trace() != "0af7651916cd43dd8448eb211c80319c" {
				t.Errorf("%s is in trace %s", up.Name, up.Trace())
			}
		}
	}
	want := "plugboard HTTP POST, plugboard pluginv2.Data/QueryData, " + dataSourceID + " pluginv2.Data/QueryData, " + dataSourceID + " sdk.queryData"
	if got := strings.Join(path, ", "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
