package ours

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// shares answers each query with its share of all that were asked with it.
type shares struct{}

type share struct {
	Size int64 `json:"size"`
}

func openShares(context.Context, plugin.Settings[struct{}]) (shares, error) { return shares{}, nil }

func (shares) Query(context.Context, plugin.Query[share]) (frame.Frames, error) {
	return nil, errors.New("asked one by one")
}

func (shares) QueryBatch(_ context.Context, queries []plugin.Query[share]) (plugin.Answers, error) {
	var all int64
	for _, q := range queries {
		all += q.Model.Size
	}
	answers := plugin.Answers{}
	for _, q := range queries {
		answers[q.RefID] = plugin.Answer{Frames: frame.Frames{frame.New("", frame.NewField("percent", nil, []int64{100 * q.Model.Size / all}))}}
		if q.Model.Size == 0 {
			answers[q.RefID] = plugin.Answer{Err: plugin.BadRequest("nothing has no share")}
		}
	}
	return answers, nil
}

// TestQueryBatch: all queries of a request come together, and each has its own
// answer; one that does not decode is not among them.
func TestQueryBatch(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=batch")
	responses := queryData(t, start(t, cmd), &backend.QueryDataRequest{PluginContext: seattle(), Queries: []backend.DataQuery{
		query("A", `{"size":3}`), query("B", `{"size":1}`), query("C", `{"size":0}`), query("D", `{"size":"much"}`),
	}})
	for refID, want := range map[string]string{"A": "75", "B": "25"} {
		if r := responses[refID]; r.Error != nil || len(r.Frames) != 1 || column(r.Frames[0]) != want || r.Frames[0].RefID != refID {
			t.Errorf("%s: %+v, want %s", refID, r, want)
		}
	}
	for refID, want := range map[string]string{"C": "nothing has no share", "D": `query: size: want a whole number (int64), have string`} {
		r := responses[refID]
		if r.Error == nil || r.Error.Error() != want || r.Status != 400 || r.ErrorSource != backend.ErrorSourceDownstream {
			t.Errorf("%s: %+v, want %s", refID, r, want)
		}
	}
}
