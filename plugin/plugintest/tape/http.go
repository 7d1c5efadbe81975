package tape

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// httpAnswer is a response. Its body is Text, or Bytes where it is none.
type httpAnswer struct {
	Status int         `json:"status"`
	Header http.Header `json:"header,omitempty"`
	Text   string      `json:"text,omitempty"`
	Bytes  []byte      `json:"bytes,omitempty"`
}

// RoundTripper asks next and records it, or answers from the recording; next may
// be nil then. Put it where an http.Client has its Transport:
//
//	client, err := httpclient.New(s)
//	client.Transport = tape.RoundTripper(client.Transport)
func (t *Tape) RoundTripper(next http.RoundTripper) http.RoundTripper {
	return roundTripper{tape: t, next: next}
}

// Server is for plugins whose client a test cannot reach: the URL of a server
// that ends with the test, and passes what it is asked on to target, recording
// it; or answers from the recording, and target is not asked. The recording has
// paths alone, so that target may be elsewhere when it is made anew.
func (t *Tape) Server(target string) (at string) {
	t.t.Helper()
	to, err := url.Parse(target)
	if err != nil || to.Host == "" {
		t.t.Fatalf("target %q is no URL", target)
	}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: roundTripper{tape: t, next: http.DefaultTransport, pathOnly: true},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	})
	t.t.Cleanup(server.Close)
	return server.URL
}

type roundTripper struct {
	tape     *Tape
	next     http.RoundTripper
	pathOnly bool
}

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := takeBody(request)
	if err != nil {
		return nil, err
	}
	ask := r.ask(request, body)
	if r.tape.record {
		return r.recordHTTP(request, ask)
	}
	e, err := r.tape.find(ask)
	switch {
	case err != nil:
		return nil, err
	case e.HTTP == nil:
		return nil, errors.New(e.Error)
	}
	return e.HTTP.response(request), nil
}

// takeBody reads the request's body, and leaves it to be read again.
func takeBody(request *http.Request) ([]byte, error) {
	if request.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(request.Body)
	request.Body.Close()
	request.Body = io.NopCloser(bytes.NewReader(body))
	return body, err
}

// ask writes a request as lines: parameters by themselves, so that a difference
// is seen at once.
func (r roundTripper) ask(request *http.Request, body []byte) []string {
	u := redactURL(request.URL)
	if r.pathOnly {
		u.Scheme, u.Host = "", ""
	}
	parameters := u.RawQuery
	u.RawQuery = ""
	ask := []string{request.Method + " " + u.String()}
	if parameters != "" {
		ask = append(ask, slices.Sorted(strings.SplitSeq(parameters, "&"))...)
	}
	if body = redactBody(body, request.Header.Get("Content-Type")); len(body) > 0 {
		ask = append(ask, "")
		ask = append(ask, strings.Split(string(body), "\n")...)
	}
	return ask
}

func (r roundTripper) recordHTTP(request *http.Request, ask []string) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if err != nil {
		r.tape.add(&exchange{Ask: ask, Error: r.tape.hide.Replace(err.Error())})
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	answer := &httpAnswer{Status: response.StatusCode, Header: redactHeader(response.Header)}
	answer.Header.Del("Date")
	for _, values := range answer.Header {
		for i := range values {
			values[i] = r.tape.hide.Replace(values[i])
		}
	}
	if kept := redactBody(body, response.Header.Get("Content-Type")); utf8.Valid(kept) {
		answer.Text = r.tape.hide.Replace(string(kept))
	} else {
		answer.Bytes = kept
	}
	r.tape.add(&exchange{Ask: ask, HTTP: answer})
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

func (a *httpAnswer) response(request *http.Request) *http.Response {
	body := a.Bytes
	if a.Text != "" {
		body = []byte(a.Text)
	}
	header := a.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Del("Content-Length") // that of the body before secrets were taken out
	return &http.Response{
		StatusCode: a.Status, Status: http.StatusText(a.Status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: request,
	}
}
