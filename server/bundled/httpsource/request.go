package httpsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/httpclient"
)

// under returns the URL that text names, which must lie under the data
// source's: whoever may ask it may not send its credentials elsewhere.
func (s *source) under(text string) (*url.URL, error) {
	asked, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("url is not one") // what url.Parse says repeats it all
	}
	u := *s.base
	if asked.Host == "" && asked.Scheme == "" && asked.Opaque == "" {
		if asked.Path != "" {
			u = *s.base.JoinPath(asked.EscapedPath())
		}
	} else {
		u.Path, u.RawPath = asked.Path, asked.RawPath
		if asked.Scheme != u.Scheme || !strings.EqualFold(asked.Host, u.Host) {
			return nil, fmt.Errorf("url is not under %s, the data source's", httpclient.SafeURL(s.base))
		}
	}
	for step := range strings.SplitSeq(strings.ReplaceAll(asked.Path, `\`, "/"), "/") {
		if step == ".." {
			return nil, errors.New("url has .. in it")
		}
	}
	if home := strings.TrimSuffix(s.base.Path, "/"); u.Path != home && !strings.HasPrefix(u.Path, home+"/") {
		return nil, fmt.Errorf("url is not under %s, the data source's", httpclient.SafeURL(s.base))
	}
	query := s.base.Query()
	for key, values := range asked.Query() {
		query[key] = values
	}
	u.RawQuery, u.Fragment = query.Encode(), ""
	return &u, nil
}

// newRequest is the request for one page.
func (s *source) newRequest(ctx context.Context, q *question, u *url.URL) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, q.Method, u.String(), strings.NewReader(q.Body.text))
	if err != nil {
		return nil, plugin.BadRequest("query: the request cannot be made")
	}
	if q.Body.text == "" {
		r.Body, r.GetBody, r.ContentLength = http.NoBody, nil, 0
	} else if q.Body.json {
		r.Header.Set("Content-Type", "application/json")
	} else {
		r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	r.Header.Set("Accept", "application/json, application/x-ndjson, text/csv, application/xml;q=0.9, text/html;q=0.8, */*;q=0.5")
	for name, value := range q.Headers {
		r.Header.Set(name, value)
	}
	return r, nil
}

// get asks for one page. Anything but success is an error.
func (s *source) get(ctx context.Context, q *question, u *url.URL) (*http.Response, error) {
	r, err := s.newRequest(ctx, q, u)
	if err != nil {
		return nil, err
	}
	response, err := s.client.Do(r)
	if err != nil {
		return nil, httpclient.Fault(err)
	}
	if err := httpclient.Refusal(response); err != nil {
		defer response.Body.Close()
		return nil, s.explain(err, response)
	}
	return response, nil
}

const maxExplanation = 300

// explain adds what the server says of a refusal, if that is short text.
func (s *source) explain(refusal error, response *http.Response) error {
	failure, ok := errors.AsType[*plugin.Error](refusal)
	kind := response.Header.Get("Content-Type")
	if !ok || !strings.Contains(kind, "json") && !strings.HasPrefix(kind, "text/plain") {
		return refusal
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxExplanation+1))
	said := strings.Join(strings.Fields(strings.ToValidUTF8(string(text), "")), " ")
	if err != nil || said == "" || len(text) > maxExplanation {
		return refusal
	}
	for _, secret := range s.secrets {
		if secret != "" && strings.Contains(said, secret) {
			return refusal
		}
	}
	told := *failure
	told.Message += ": " + said
	return &told
}
