package testsource

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// maxSpans is the most that a trace may have.
const maxSpans = 100_000

// operations are what the services of the trace do. The first is its root's.
var operations = []struct{ service, name, kind string }{
	{"shop", "GET /checkout", "server"}, {"carts", "SELECT cart", "client"}, {"payments", "POST /pay", "server"},
	{"bank", "charge", "client"}, {"stock", "reserve", "server"}, {"mail", "send receipt", "producer"},
}

// span is one of a trace, on its way into columns.
type span struct {
	id, parent     int
	start, took    float64 // milliseconds
	operation      int
	failed, logged bool
}

// keyValue is a tag, as panels of traces want it.
type keyValue struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

// spanLog is something that happened in a span.
type spanLog struct {
	Timestamp float64    `json:"timestamp"`
	Name      string     `json:"name,omitempty"`
	Fields    []keyValue `json:"fields"`
}

// trace returns a made-up trace, always the same of its size, in the middle of
// the time range.
func trace(_ context.Context, q plugin.Query[model]) (*frame.Frame, error) {
	count := q.Model.Rows
	if count == 0 {
		count = 24
	}
	if count < 0 || count > maxSpans {
		return nil, plugin.BadRequest("query: a trace of %d spans is not one of 1 to %d", count, maxSpans)
	}
	begin := q.TimeRange.From.Add(q.TimeRange.To.Sub(q.TimeRange.From) / 2).Truncate(time.Second)
	return traceFrame(makeSpans(count, float64(begin.UnixMilli())))
}

// makeSpans makes spans, each inside of its parent, one of those before it.
func makeSpans(count int, begin float64) []span {
	chance := rand.New(rand.NewPCG(1, 2))
	spans := []span{{id: 1, start: begin, took: 420, logged: true}}
	for i := 1; i < count; i++ {
		parent := spans[chance.IntN(min(len(spans), 1+i/3))]
		from := parent.took * chance.Float64() * 0.6
		spans = append(spans, span{
			id: i + 1, parent: parent.id, start: parent.start + from, took: (parent.took - from) * (0.2 + 0.7*chance.Float64()),
			operation: 1 + i%(len(operations)-1), failed: i%11 == 3, logged: i%5 == 3,
		})
	}
	return spans
}

func traceFrame(spans []span) (*frame.Frame, error) {
	var ids, trace, parents, names, services, kinds, messages []string
	var starts, lengths []float64
	var status []int64
	var tags, serviceTags, logs []json.RawMessage
	for _, s := range spans {
		does := operations[s.operation]
		parent, code, message := "", int64(0), ""
		if s.parent > 0 {
			parent = fmt.Sprintf("%016x", s.parent)
		}
		if s.failed {
			code, message = 2, does.service+" gave up"
		}
		trace, ids, parents = append(trace, "5b8aa5a2d2c872e8321cf37308d69df2"), append(ids, fmt.Sprintf("%016x", s.id)), append(parents, parent)
		names, services, kinds = append(names, does.name), append(services, does.service), append(kinds, does.kind)
		starts, lengths = append(starts, s.start), append(lengths, s.took)
		status, messages = append(status, code), append(messages, message)
		for _, column := range []struct {
			of    *[]json.RawMessage
			value any
		}{
			{&tags, []keyValue{{"thread", s.id % 8}, {"cached", s.id%3 == 0}, {"route", does.name}}},
			{&serviceTags, []keyValue{{"service.version", "1." + fmt.Sprint(s.operation)}, {"host.name", does.service + "-0"}}},
			{&logs, s.logs()},
		} {
			raw, err := json.Marshal(column.value)
			if err != nil {
				return nil, err
			}
			*column.of = append(*column.of, raw)
		}
	}
	f := frame.New("trace",
		frame.NewField("traceID", nil, trace), frame.NewField("spanID", nil, ids), frame.NewField("parentSpanID", nil, parents),
		frame.NewField("operationName", nil, names), frame.NewField("serviceName", nil, services), frame.NewField("kind", nil, kinds),
		frame.NewField("startTime", nil, starts), frame.NewField("duration", nil, lengths),
		frame.NewField("statusCode", nil, status), frame.NewField("statusMessage", nil, messages),
		frame.NewField("serviceTags", nil, serviceTags), frame.NewField("tags", nil, tags), frame.NewField("logs", nil, logs))
	f.Meta = &frame.Meta{Visualization: "trace"}
	return f, nil
}

func (s span) logs() []spanLog {
	logs := []spanLog{}
	if s.logged {
		logs = append(logs, spanLog{s.start + s.took/4, "retry", []keyValue{{"attempt", 2}, {"wait", "20ms"}}})
	}
	if s.failed {
		logs = append(logs, spanLog{s.start + s.took, "exception", []keyValue{{"exception.message", "no answer in time"}}})
	}
	return logs
}
