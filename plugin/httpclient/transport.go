package httpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/internal/incall"
	"github.com/plugboard/plugboard/trace"
)

// transport is what a request goes through on its way out, and its response on
// its way back.
type transport struct {
	*options
	metrics *metrics
	next    *http.Transport
}

// CloseIdleConnections is called by the client's.
func (t *transport) CloseIdleConnections() { t.next.CloseIdleConnections() }

// RoundTrip dresses the request, sends it, again if need be, and bounds the
// response.
func (t *transport) RoundTrip(original *http.Request) (*http.Response, error) {
	caller := plugin.ContextFrom(original.Context())
	r := original.Clone(original.Context()) // a RoundTripper leaves the request as it is
	setUserAgent(r, caller)
	if sameOrigin(r) {
		t.authorize(r)
		t.passOn(r)
	}
	to := of{plugin: caller.PluginID, endpoint: incall.Endpoint(r.Context()), proxied: strconv.FormatBool(t.socks != nil)}
	response, err := t.send(r, to)
	if err != nil {
		return nil, err
	}
	if to := response.Header.Get("Location"); to != "" {
		if _, err := r.URL.Parse(to); err != nil { // which net/http would quote, its query included
			_ = response.Body.Close()
			return nil, fmt.Errorf("%d %s to what is no URL", response.StatusCode, http.StatusText(response.StatusCode))
		}
	}
	if response.StatusCode == http.StatusSwitchingProtocols {
		return response, nil // its body is a connection
	}
	response.Body = &body{
		ReadCloser: response.Body,
		request:    original,
		limit:      t.limitFor(caller),
		done:       func(n int64) { t.metrics.received(to, n) },
	}
	return response, nil
}

func setUserAgent(r *http.Request, caller plugin.Context) {
	if r.Header.Get("User-Agent") != "" || caller.PluginID == "" {
		return
	}
	agent := "Grafana"
	if caller.UserAgent != "" {
		agent = caller.UserAgent
	}
	if caller.PluginVersion != "" {
		agent += " " + caller.PluginID + "/" + caller.PluginVersion
	}
	r.Header.Set("User-Agent", agent)
}

// sameOrigin tells whether a request goes where the first of its redirects
// started. Elsewhere nobody is to see the credentials.
func sameOrigin(r *http.Request) bool {
	first := r
	for first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
	}
	return first.URL.Scheme == r.URL.Scheme && strings.EqualFold(first.URL.Host, r.URL.Host)
}

// authorize sets what the settings say: their headers replace the request's.
func (t *transport) authorize(r *http.Request) {
	if t.user != "" && r.Header.Get("Authorization") == "" {
		r.SetBasicAuth(t.user, t.password)
	}
	for name, values := range t.header {
		if name == "Host" {
			r.Host = values[0]
			continue
		}
		r.Header[name] = slices.Clone(values)
	}
}

// passOn sets what belongs to the call, where nothing is set yet.
func (t *transport) passOn(r *http.Request) {
	headers := plugin.HeadersFrom(r.Context())
	ofResource := incall.Endpoint(r.Context()) == "callResource"
	for name, values := range plugin.HTTPHeader(headers) {
		if r.Header.Get(name) == "" && t.passes(name, ofResource) {
			r.Header[name] = values
		}
	}
	if value := t.cookies(headers); value != "" && r.Header.Get("Cookie") == "" {
		r.Header.Set("Cookie", value)
	}
	if headers["FromAlert"] == "true" {
		r.Header.Set("FromAlert", "true")
	}
}

// passes tells whether a header of the call goes with its requests. What comes
// with a query is for the host to choose, such as what a team may see. The call
// of a resource has all the headers of an HTTP request, most of which are about
// that request only, and any that a stranger cares to add.
func (t *transport) passes(name string, ofResource bool) bool {
	switch name {
	case "Authorization", "X-Id-Token":
		return t.passToken
	case "Cookie":
		return false // some of them do: see cookies
	}
	if !ofResource {
		return true
	}
	switch name {
	case "X-Datasource-Uid", "X-Panel-Id", "X-Panel-Plugin-Id", "X-Query-Group-Id", "X-Rule-Uid":
		return true
	}
	return strings.HasPrefix(name, "X-Grafana-") || strings.HasPrefix(name, "X-Dashboard-")
}

// cookies are those of the call that the settings say to pass on.
func (t *transport) cookies(headers map[string]string) string {
	if len(t.passCookies) == 0 {
		return ""
	}
	asked := http.Request{Header: http.Header{"Cookie": plugin.HTTPHeader(headers)["Cookie"]}}
	var kept []string
	for _, cookie := range asked.Cookies() {
		if slices.Contains(t.passCookies, cookie.Name) {
			kept = append(kept, cookie.Name+"="+cookie.Value)
		}
	}
	return strings.Join(kept, "; ")
}

// The waits between attempts; there is one attempt more.
var waits = [...]time.Duration{100 * time.Millisecond, 400 * time.Millisecond}

// send sends a request until it is answered, if it may be repeated.
func (t *transport) send(r *http.Request, to of) (*http.Response, error) {
	for attempt := 0; ; attempt++ {
		response, err := t.attempt(r, to)
		if attempt == len(waits) || !again(r, response, err) || !timeFor(r, waits[attempt]) {
			return response, err
		}
		if err := rewind(r); err != nil {
			return nil, err
		}
		if response != nil {
			drain(response)
		}
		if err := wait(r.Context(), waits[attempt]); err != nil {
			return nil, err
		}
	}
}

// attempt sends a request once, in a span of its own. Names are those of the
// official SDK; the URL is a safe one.
func (t *transport) attempt(r *http.Request, to of) (*http.Response, error) {
	ctx, span := trace.StartKind(r.Context(), trace.Client, "HTTP Outgoing Request")
	defer span.End()
	if span != nil {
		r = r.WithContext(ctx)
		span.Set(slog.String("http.url", SafeURL(r.URL)))
		span.Set(slog.String("http.method", r.Method))
	}
	passTrace(r)
	response, err := t.metrics.measure(r, to, t.next)
	switch {
	case span == nil:
	case err != nil:
		span.Fail(fault(r.Method, SafeURL(r.URL), err))
	default:
		span.Set(slog.Int("http.status_code", response.StatusCode))
		if response.ContentLength > 0 {
			span.Set(slog.Int64("http.content_length", response.ContentLength))
		}
		if response.StatusCode >= 400 {
			span.Fail(Refusal(response))
		}
	}
	return response, err
}

// passTrace makes the request part of the call's trace, recorded or not.
func passTrace(r *http.Request) {
	p := trace.From(r.Context())
	if !p.Valid() {
		return
	}
	r.Header.Set(trace.ParentHeader, p.String())
	if p.State != "" {
		r.Header.Set(trace.StateHeader, p.State)
	}
}

// again tells whether it is safe and of use to repeat a request.
func again(r *http.Request, response *http.Response, err error) bool {
	if !idempotent(r) || r.Context().Err() != nil || (r.Body != nil && r.Body != http.NoBody && r.GetBody == nil) {
		return false
	}
	if err != nil {
		return passing(err)
	}
	switch response.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// timeFor tells whether the time limit lets a request wait, as the reason it
// would wait for is worth more than that the time is up.
func timeFor(r *http.Request, d time.Duration) bool {
	deadline, limited := r.Context().Deadline()
	return !limited || time.Until(deadline) > d
}

func idempotent(r *http.Request) bool {
	switch r.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	_, promised := r.Header["Idempotency-Key"]
	return promised
}

// rewind makes the body ready to be sent again.
func rewind(r *http.Request) error {
	if r.GetBody == nil {
		return nil
	}
	body, err := r.GetBody()
	if err != nil {
		return errors.Join(errors.New("send the body again"), err)
	}
	r.Body = body
	return nil
}

// drain makes the connection free for the next attempt, if little is left.
func drain(response *http.Response) {
	_, _ = io.CopyN(io.Discard, response.Body, 4<<10)
	_ = response.Body.Close()
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
