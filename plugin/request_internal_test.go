package plugin

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/plugboard/plugboard/wire"
)

// TestRequest: what we encode is what package proto reads as the message.
func TestRequest(t *testing.T) {
	for range 1000 {
		var random randomParts
		headers := map[string]string{"http_X-Foo": random.text(), "FromAlert": "true"}
		queries := &QueryRequest{Context: random.context(), Headers: headers, Format: FormatJSON, Queries: []DataQuery{
			{}, {
				RefID: random.text(), QueryType: random.text(), MaxDataPoints: rand.Int64(), Interval: time.Second,
				TimeRange: TimeRange{From: time.UnixMilli(-1), To: time.UnixMilli(rand.Int64N(1 << 45))}, JSON: []byte(random.text()),
			},
		}}
		check(t, queryRequest(queries), &wire.QueryDataRequest{
			PluginContext: contextToWire(queries.Context), Headers: headers,
			Queries: queriesToWire(queries.Queries), Format: wire.DataFrameFormat_JSON,
		})
		check(t, healthRequest(&HealthRequest{Context: queries.Context, Headers: headers}), &wire.CheckHealthRequest{
			PluginContext: contextToWire(queries.Context), Headers: headers,
		})
		header := http.Header{"X-Foo": {"a", "", random.text()}, "X-None": nil, "X-Latin": {"\xe9"}}
		resource := &ResourceRequest{Context: queries.Context, Path: random.text(), URL: random.text(), Method: "GET", Header: header, Body: []byte(random.text())}
		check(t, resourceRequest(resource), &wire.CallResourceRequest{
			PluginContext: contextToWire(queries.Context), Path: resource.Path, Method: "GET", Url: resource.URL,
			Headers: headerToWire(header), Body: resource.Body,
		})
		stream := &StreamRequest{Context: queries.Context, Path: random.text(), Data: []byte(random.text()), Headers: headers}
		check(t, streamRequest(stream), &wire.RunStreamRequest{
			PluginContext: contextToWire(queries.Context), Path: stream.Path, Data: stream.Data, Headers: headers,
		})
	}
}

// TestRequestNotText: strings that the far end would refuse are not sent.
func TestRequestNotText(t *testing.T) {
	if _, err := healthRequest(&HealthRequest{Context: Context{PluginID: "\xff"}}).encoded(); err == nil {
		t.Error("no error")
	}
}

func check[M any, P interface {
	*M
	proto.Message
}](t *testing.T, r request, want P) {
	t.Helper()
	b, err := r.encoded()
	if err != nil {
		t.Fatal(err)
	}
	got := P(new(M))
	if err := proto.Unmarshal(b.Materialize(), got); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(got, want) {
		t.Fatalf("have %v\nwant %v", got, want)
	}
}

// randomParts makes the parts of requests, some of them empty, some of sizes
// that take more than one byte to say.
type randomParts struct{}

func (randomParts) text() string {
	return strings.Repeat("ä", []int{0, 1, 63, 64, 8191, 8192}[rand.IntN(6)])
}

func (r randomParts) context() Context {
	c := Context{
		PluginID: r.text(), PluginVersion: r.text(), OrgID: rand.Int64N(3), Namespace: r.text(),
		GrafanaConfig: map[string]string{"GF_ONE": r.text(), "": "x"}, UserAgent: r.text(), APIVersion: r.text(),
	}
	if rand.IntN(2) == 0 {
		c.User = &User{Login: r.text(), Name: r.text(), Email: r.text(), Role: r.text()}
	}
	if rand.IntN(2) == 0 {
		c.App = &AppSettings{JSON: []byte(r.text()), Secrets: Secrets{"a": r.text()}, Updated: time.UnixMilli(rand.Int64N(9)), APIVersion: r.text()}
	}
	if rand.IntN(2) == 0 {
		c.DataSource = &DataSourceSettings{
			ID: rand.Int64N(3), UID: r.text(), Name: r.text(), URL: r.text(), User: r.text(), Database: r.text(), BasicAuth: rand.IntN(2) == 0,
			BasicAuthUser: r.text(), JSON: []byte(r.text()), Secrets: Secrets{"token": r.text()}, APIVersion: r.text(),
		}
	}
	return c
}

// contextToWire never returns nil and never leaves jsonData empty: plugins in
// the field die of the one and fail on the other.
func contextToWire(c Context) *wire.PluginContext {
	message := &wire.PluginContext{
		OrgId:         c.OrgID,
		PluginId:      c.PluginID,
		PluginVersion: c.PluginVersion,
		Namespace:     c.Namespace,
		GrafanaConfig: c.GrafanaConfig,
		UserAgent:     c.UserAgent,
		ApiVersion:    c.APIVersion,
	}
	if c.User != nil {
		message.User = &wire.User{Login: c.User.Login, Name: c.User.Name, Email: c.User.Email, Role: c.User.Role}
	}
	if c.DataSource != nil {
		message.DataSourceInstanceSettings = dataSourceToWire(*c.DataSource)
	}
	if c.App != nil {
		message.AppInstanceSettings = &wire.AppInstanceSettings{
			JsonData:                objectOrEmpty(c.App.JSON),
			DecryptedSecureJsonData: c.App.Secrets,
			LastUpdatedMs:           millis(c.App.Updated),
			ApiVersion:              c.App.APIVersion,
		}
	}
	return message
}

func dataSourceToWire(s DataSourceSettings) *wire.DataSourceInstanceSettings {
	return &wire.DataSourceInstanceSettings{
		Id:                      s.ID,
		Uid:                     s.UID,
		Name:                    s.Name,
		Url:                     s.URL,
		User:                    s.User,
		Database:                s.Database,
		BasicAuthEnabled:        s.BasicAuth,
		BasicAuthUser:           s.BasicAuthUser,
		JsonData:                objectOrEmpty(s.JSON),
		DecryptedSecureJsonData: s.Secrets,
		LastUpdatedMs:           millis(s.Updated),
		ApiVersion:              s.APIVersion,
	}
}

func queriesToWire(queries []DataQuery) []*wire.DataQuery {
	messages := make([]*wire.DataQuery, len(queries))
	for i, q := range queries {
		messages[i] = &wire.DataQuery{
			RefId:         q.RefID,
			MaxDataPoints: q.MaxDataPoints,
			IntervalMs:    q.Interval.Milliseconds(),
			TimeRange:     &wire.TimeRange{FromEpochMs: millis(q.TimeRange.From), ToEpochMs: millis(q.TimeRange.To)},
			Json:          objectOrEmpty(q.JSON),
			QueryType:     q.QueryType,
		}
	}
	return messages
}
