// Package httpsource is the bundled data source plugin http: it asks an HTTP
// server for JSON, CSV, NDJSON, XML or HTML tables and makes frames of them.
package httpsource

import (
	"context"
	_ "embed" // plugin.json
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/httpclient"
)

// Manifest is the plugin's plugin.json.
//
//go:embed plugin.json
var Manifest []byte

// Plugin returns the plugin.
func Plugin() plugin.Plugin { return plugin.DataSource(open) }

// settings are the data source's, beside those of httpclient.
type settings struct {
	// URL is what all queries are under. Its query string goes with each.
	URL string `json:"url" title:"Address" description:"What all queries are under. Its query string goes with each." examples:"https://api.example.org/v1"`
	// RowLimit is the most rows that a query answers; default 1000000.
	RowLimit int `json:"rowLimit" title:"Row limit" description:"The most rows that a query answers; 1000000 if empty." group:"Requests"`
	httpclient.Settings
}

const defaultRowLimit = 1_000_000

// model is a query.
type model struct {
	// URL is a path under the data source's URL, or such a URL in full.
	URL string `json:"url" plugboard:"text" title:"Path" description:"A path under the data source's address, or such an address in full." examples:"/cities?country=nl"`
	// Method is GET (default) or POST.
	Method string `json:"method" title:"Method" examples:"GET\nPOST" group:"Request"`
	// Body is sent by POST: a text, or any other JSON as it is.
	Body body `json:"body" title:"Body" description:"Sent by POST: a text, or any other JSON as it is." format:"multiline" group:"Request"`
	// Headers are sent beside those of the settings, which prevail.
	Headers map[string]string `json:"headers" title:"Headers" group:"Request"`
	// Params are added to the URL's query string.
	Params map[string]parameter `json:"params" title:"Parameters" description:"Added to the query string." group:"Request"`
	// Format is json, csv, ndjson, xml or html; if empty the content type
	// decides, or else the content.
	Format string `json:"format" title:"Format" description:"If empty, the response says." enum:"json,csv,ndjson,xml,html" group:"Answer"`
	// RootPath says where in the response the rows are: see path and the
	// readers of each format.
	RootPath string `json:"rootPath" title:"Rows" description:"Where in the response the rows are." examples:"data.items" group:"Answer"`
	// Columns are those to take, in this order. Without any, all are.
	Columns []columnModel `json:"columns" title:"Columns" description:"Those to take, in this order; all if empty." group:"Answer"`
	// TimeFormat is how times are written: unix, unix_ms, unix_us, unix_ns or a
	// layout of Go's time package. If empty the usual ones are understood.
	TimeFormat string      `json:"timeFormat" title:"Time format" description:"unix, unix_ms, unix_us, unix_ns or a layout of Go's time package; the usual ones are understood if empty." examples:"unix_ms\n2006-01-02" group:"Answer"`
	Pagination *pagination `json:"pagination" title:"Pages" group:"Pages"`
}

// columnModel is one column of a query.
type columnModel struct {
	// Path is where in a row the value is.
	Path string `json:"path" plugboard:"required" title:"Path" description:"Where in a row the value is."`
	// Name is the field's; default Path.
	Name string `json:"name" title:"Name" description:"That of the path if empty."`
	// Type is string, number, integer, boolean, time or json; if empty the
	// values decide.
	Type string `json:"type" title:"Type" description:"If empty, the values decide." enum:"string,number,integer,boolean,time,json"`
}

// source is one data source.
type source struct {
	name     string
	base     *url.URL
	rowLimit int
	secrets  []string // not to be told
	client   *http.Client
}

func open(_ context.Context, s plugin.Settings[settings]) (*source, error) {
	base, err := url.Parse(s.Values.URL)
	switch {
	case s.Values.URL == "":
		return nil, plugin.BadRequest("settings: url is missing: it is what all queries are under")
	case err != nil, base.Host == "", base.Scheme != "http" && base.Scheme != "https":
		return nil, plugin.BadRequest("settings: url is not one of http:// or https:// and a host")
	case s.Values.RowLimit < 0:
		return nil, plugin.BadRequest("settings: jsonData.rowLimit is below 0")
	}
	client, err := httpclient.New(s)
	if err != nil {
		return nil, err
	}
	if base.Path == "" {
		base.Path = "/"
	}
	limit := s.Values.RowLimit
	if limit == 0 {
		limit = defaultRowLimit
	}
	return &source{s.Name, base, limit, secretsOf(s.DataSourceSettings, base), client}, nil
}

// secretsOf are the texts that a server might send back in an error.
func secretsOf(s plugin.DataSourceSettings, base *url.URL) []string {
	var secrets []string
	for _, secret := range s.Secrets {
		secrets = append(secrets, secret)
		for _, user := range []string{s.User, s.BasicAuthUser} {
			secrets = append(secrets, base64.StdEncoding.EncodeToString([]byte(user+":"+secret)))
		}
	}
	for _, values := range base.Query() {
		secrets = append(secrets, values...)
	}
	if password, ok := base.User.Password(); ok {
		secrets = append(secrets, password)
	}
	return secrets
}

// Close closes the connections.
func (s *source) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// Query answers with one frame, of all pages.
func (s *source) Query(ctx context.Context, q plugin.Query[model]) (frame.Frames, error) {
	asked, err := newQuestion(q)
	if err != nil {
		return nil, plugin.BadRequest("query: %w", err)
	}
	t := newTable(asked.columns, s.rowLimit)
	where, err := s.readPages(ctx, asked, t)
	if err != nil {
		return nil, s.failed(err)
	}
	f, err := t.frame(q.Model.TimeFormat)
	if err != nil {
		return nil, s.failed(plugin.Downstream(fmt.Errorf("%s: %w", where, err)))
	}
	f.Meta.ExecutedQueryString = where
	return frame.Frames{f}, nil
}

// failed adds the name of the data source.
func (s *source) failed(err error) error {
	failure, ok := errors.AsType[*plugin.Error](err)
	if !ok || errors.Is(err, context.Canceled) {
		return fmt.Errorf("data source %s: %w", s.name, err)
	}
	told := *failure
	told.Message = "data source " + s.name + ": " + failure.Message
	return &told
}

// CheckHealth asks the data source's URL. There may be nothing at it, as
// queries are under it; but a server that refuses the credentials, or has
// failed, is none to rely on.
func (s *source) CheckHealth(ctx context.Context) (plugin.Health, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base.String(), nil)
	if err != nil {
		return plugin.Health{}, s.failed(plugin.BadRequest("settings: url: %w", err))
	}
	response, err := s.client.Do(r)
	if err != nil {
		return plugin.Health{}, s.failed(httpclient.Fault(err))
	}
	defer response.Body.Close()
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusProxyAuthRequired, code >= 500:
		return plugin.Health{}, s.failed(httpclient.Refusal(response))
	}
	return plugin.Health{
		Status:  plugin.HealthOK,
		Message: fmt.Sprintf("%s answers with status %d", httpclient.SafeURL(s.base), response.StatusCode),
	}, nil
}
