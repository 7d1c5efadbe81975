package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"github.com/plugboard/plugboard/plugin/internal/schema"
	"github.com/plugboard/plugboard/wire"
)

// Description is what a plugin on our SDK says of itself.
type Description struct {
	// Capabilities are some of query, chunks, health, resources, subscribe,
	// publish and stream.
	Capabilities []string
	// Chunked: the plugin answers chunked queries.
	Chunked bool
	// QueryText is the key of the query model that takes a query typed as
	// plain text, such as "rawSql"; empty if there is none.
	QueryText string
	// Settings is the JSON Schema, draft 2020-12, of what people configure: an
	// object with the data source's own url, user, database, basicAuth and
	// basicAuthUser, as far as the plugin reads them, with jsonData, and with
	// secureJsonData, its secrets. Members are in the order in which people
	// are to fill them in.
	Settings json.RawMessage
	// Query is the JSON Schema of a query model, empty if there are none.
	Query json.RawMessage
}

// Describe asks the plugin about itself. Those that are not on our SDK answer
// ErrNotImplemented.
func (c *Client) Describe(ctx context.Context) (Description, error) {
	response := &wire.DescribeResponse{}
	if err := c.invoke(ctx, wire.Plugin_Describe_FullMethodName, &wire.DescribeRequest{}, response); err != nil {
		return Description{}, err
	}
	d := Description{
		Capabilities: response.Capabilities, Chunked: response.Chunked, QueryText: response.QueryText,
	}
	if json.Valid(response.SettingsSchema) {
		d.Settings = bytes.Clone(response.SettingsSchema) // the answer's memory may be a pool's
	}
	if json.Valid(response.QuerySchema) {
		d.Query = bytes.Clone(response.QuerySchema)
	}
	return d, nil
}

func (s *server) Describe(context.Context, *wire.DescribeRequest) (*wire.DescribeResponse, error) {
	p := s.plugin
	settings, err := json.Marshal(p.settingsSchema())
	if err != nil {
		return nil, toStatus(err)
	}
	response := &wire.DescribeResponse{Capabilities: p.offer.words(), Chunked: p.offer.chunks, SettingsSchema: settings}
	if p.query != nil {
		response.QueryText = p.query.Text
		if response.QuerySchema, err = json.Marshal(p.querySchema()); err != nil {
			return nil, toStatus(err)
		}
	}
	return response, nil
}

func (o offer) words() []string {
	var words []string
	for _, one := range []struct {
		word string
		is   bool
	}{
		{"query", o.query}, {"chunks", o.chunks}, {"health", o.health}, {"resources", o.resources},
		{"subscribe", o.subscribe}, {"publish", o.publish}, {"stream", o.stream},
	} {
		if one.is {
			words = append(words, one.word)
		}
	}
	return words
}

// ownKeys are the data source's own settings, in the order of a form. Every
// data source has a name and a uid, so that no form need ask for them here.
var ownKeys = []string{"url", "user", "database", "basicAuth", "basicAuthUser", "name", "uid"}

func settingsOptions(noun string) schema.Options {
	o := schema.Options{Common: commonSettingsKeys}
	if noun == nounDataSource {
		o.Elsewhere = ownKeys
	}
	return o
}

// commonQueryKeys are those that hosts and their frontends put into any query.
var commonQueryKeys = []string{
	"refId", "datasource", "datasourceId", "hide", "key", "queryType", "intervalMs", "maxDataPoints", "timeRange",
}

// commonSettingsKeys are those that hosts, their frontends and package
// httpclient know in the settings of any data source.
var commonSettingsKeys = []string{
	"alertmanagerUid", "manageAlerts", "allowAsRecordingRulesTarget", "allowedHeaders", "pdcInjected",
	"oauthPassThru", "keepCookies", "forwardHeaders", "teamHttpHeaders", "enableSecureSocksProxy", "secureSocksProxyUsername",
	"basicAuth", "basicAuthUser", "timeout", "dialTimeout", "serverName", "tlsAuth", "tlsAuthWithCACert", "tlsSkipVerify",
	"httpHeaderName*", "httpKeepAlive", "httpTLSHandshakeTimeout", "httpExpectContinueTimeout", "httpMaxConnsPerHost",
	"httpMaxIdleConns", "httpMaxIdleConnsPerHost", "httpIdleConnTimeout", "responseLimit", "sigV4*",
}

// settingsSchema is what people configure, in one schema.
func (p Plugin) settingsSchema() *schema.Object {
	var w schema.Writer
	var properties schema.Object
	var required []string
	own := p.noun == nounDataSource
	for _, key := range ownKeys[:len(ownKeys)-2] {
		field, needed := w.Field(p.settings, key)
		if !own || field == nil {
			continue
		}
		properties.Set(key, field)
		if needed {
			required = append(required, key)
		}
	}
	jsonData := w.Type(p.settings, func(key string) bool { return !own || !slices.Contains(ownKeys, key) })
	properties.Set("jsonData", jsonData)
	if jsonData.Has("required") {
		required = append(required, "jsonData")
	}
	if secrets := w.Secrets(p.settings); secrets != nil {
		properties.Set("secureJsonData", secrets)
		if secrets.Has("required") {
			required = append(required, "secureJsonData")
		}
	}
	return w.Document(schema.ObjectOf(&properties, required))
}

func (p Plugin) querySchema() *schema.Object {
	var w schema.Writer
	return w.Document(w.Type(p.query, nil))
}
