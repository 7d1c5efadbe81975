package prometheus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/httpclient"
)

// server is the Prometheus behind a data source.
type server struct {
	name   string // of the data source
	base   *url.URL
	method string
	// custom goes with every request.
	custom url.Values
	// timeout is what the settings say, for the server to keep too.
	timeout string
	client  *http.Client
}

// form is the parameters of a request; those that are empty are left out.
type form map[string]string

const defaultTimeout = time.Minute

func newServer(s plugin.Settings[settings]) (*server, error) {
	v := s.Values
	base, err := url.Parse(v.URL)
	switch {
	case v.URL == "":
		return nil, plugin.BadRequest("settings: url is missing: it names the Prometheus server")
	case err != nil, base.Host == "", base.Scheme != "http" && base.Scheme != "https":
		return nil, plugin.BadRequest("settings: url is not one of http:// or https:// and a host")
	}
	method := strings.ToUpper(v.HTTPMethod)
	switch method {
	case "":
		method = http.MethodPost
	case http.MethodGet, http.MethodPost:
	default:
		return nil, plugin.BadRequest("settings: jsonData.httpMethod: want GET or POST")
	}
	custom, err := url.ParseQuery(v.CustomQueryParameters)
	if err != nil {
		return nil, plugin.BadRequest("settings: jsonData.customQueryParameters: want the form a=1&b=2")
	}
	timeout := defaultTimeout
	if v.QueryTimeout != "" {
		if timeout, err = parseInterval(v.QueryTimeout); err != nil {
			return nil, plugin.BadRequest("settings: jsonData.queryTimeout: %w", err)
		}
	}
	client, err := httpclient.New(s)
	if err != nil {
		return nil, err
	}
	client.Timeout = timeout
	return &server{s.Name, base, method, custom, v.QueryTimeout, client}, nil
}

// ask asks an endpoint of queries and reads the answer.
func (s *server) ask(ctx context.Context, endpoint string, f form) (*answer, error) {
	values := url.Values{}
	for key, value := range f {
		if value != "" {
			values.Set(key, value)
		}
	}
	if s.timeout != "" {
		values.Set("timeout", s.timeout)
	}
	response, err := s.send(ctx, s.method, endpoint, values)
	if err != nil {
		return nil, s.failed(err)
	}
	defer response.Body.Close()
	a, err := readAnswer(response.Body)
	return a, s.failed(judge(response, a, err))
}

// judge says what is wrong with a response: what the server says, or else its
// status, or that it is no answer.
func judge(response *http.Response, a *answer, err error) error {
	refusal := httpclient.Refusal(response)
	if a != nil && a.status == "error" {
		failure := &plugin.Error{Source: plugin.SourceDownstream, Status: http.StatusBadGateway, Err: refusal}
		if refused, ok := errors.AsType[*plugin.Error](refusal); ok {
			failure.Status, failure.Source = refused.Status, refused.Source
		}
		failure.Message = where(response) + a.errorType + ": " + a.err
		return failure
	}
	if refusal != nil {
		return refusal
	}
	if _, told := errors.AsType[*plugin.Error](err); told || err == nil {
		return err
	}
	return plugin.Downstream(fmt.Errorf("%sthe answer is not one of Prometheus: %w", where(response), err))
}

func where(response *http.Response) string {
	return response.Request.Method + " " + httpclient.SafeURL(response.Request.URL) + ": "
}

// failed adds the name of the data source.
func (s *server) failed(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	failure, ok := errors.AsType[*plugin.Error](err)
	if !ok {
		return fmt.Errorf("data source %s: %w", s.name, err)
	}
	told := *failure
	told.Message = "data source " + s.name + ": " + failure.Message
	return &told
}

// send sends parameters, and a body if there is one, to an endpoint: in the
// URL by GET, else as a form. A server that knows no POST there is asked again
// by GET.
func (s *server) send(ctx context.Context, method, endpoint string, values url.Values) (*http.Response, error) {
	r, err := s.newRequest(ctx, method, endpoint, values)
	if err != nil {
		return nil, err
	}
	response, err := s.client.Do(r)
	if err != nil {
		return nil, httpclient.Fault(err)
	}
	if method == http.MethodPost && response.StatusCode == http.StatusMethodNotAllowed {
		response.Body.Close()
		return s.send(ctx, http.MethodGet, endpoint, values)
	}
	return response, nil
}

func (s *server) newRequest(ctx context.Context, method, endpoint string, values url.Values) (*http.Request, error) {
	u := s.base.JoinPath(endpoint)
	query := u.Query()
	add(query, s.custom)
	var body io.Reader = http.NoBody
	if method == http.MethodGet {
		add(query, values)
	} else {
		body = strings.NewReader(values.Encode())
	}
	u.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	if method != http.MethodGet {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header["Idempotency-Key"] = nil // a question, though by POST
	}
	return r, nil
}

func add(to, more url.Values) {
	for key, values := range more {
		to[key] = append(to[key], values...)
	}
}
