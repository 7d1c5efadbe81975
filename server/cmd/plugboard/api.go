package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// api speaks the HTTP API of a server: one somewhere, or one in this process
// around a plugin that the user named.
type api struct {
	base   string
	client *http.Client
	// token goes before user and password; both are empty for anonymous
	// requests.
	token          string
	user, password string
	// progress is the terminal that is told of what takes long; nil for none.
	progress io.Writer
}

// send makes a request. A path begins with a slash. Closing the answer's body
// is the caller's.
func (a *api) send(ctx context.Context, method, path string, header http.Header, body []byte) (*http.Response, error) {
	return a.sendFrom(ctx, method, path, header, bytes.NewReader(body))
}

// sendFrom is send for a body that need not be in memory.
func (a *api) sendFrom(ctx context.Context, method, path string, header http.Header, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
	if err != nil {
		return nil, misused("%w", err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	} else if a.user != "" {
		req.SetBasicAuth(a.user, a.password)
	}
	response, err := a.client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err
		}
		return nil, unavailable("no server answers at %s: %w", a.base, err)
	}
	return response, nil
}

// fetch makes a request and returns the whole answer.
func (a *api) fetch(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error) {
	header := http.Header{}
	if body != nil {
		header.Set("Content-Type", "application/json")
	}
	told := startProgress(a.progress)
	defer told.end()
	response, err := a.send(ctx, method, path, header, body)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(told.reader(response.Body))
	if err != nil {
		return 0, nil, unavailable("the server's answer broke off: %w", err)
	}
	return response.StatusCode, answer, nil
}

// get decodes the answer of a GET.
func (a *api) get(ctx context.Context, path string, into any) error {
	status, answer, err := a.fetch(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return refusal(status, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return failed("read the server's answer to GET %s: %w", path, err)
	}
	return nil
}

// change sends a body as JSON, and decodes the answer unless into is nil.
func (a *api) change(ctx context.Context, method, path string, body, into any) error {
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return failed("%w", err)
		}
	}
	status, answer, err := a.fetch(ctx, method, path, sent)
	if err != nil {
		return err
	}
	if status < 200 || status > 299 {
		return refusal(status, answer)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return failed("read the server's answer to %s %s: %w", method, path, err)
	}
	return nil
}

// refusal is the error of an answer that is nothing but an error.
func refusal(status int, answer []byte) error {
	var told struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(answer, &told) != nil || told.Message == "" {
		told.Message = fmt.Sprintf("the server answers %d %s: %.200s", status, http.StatusText(status), strings.TrimSpace(string(answer)))
	}
	err := fmt.Errorf("%s (status %d)", told.Message, status)
	switch status {
	case http.StatusServiceUnavailable:
		return &failure{codeUnavailable, err}
	case http.StatusUnauthorized:
		return &failure{codeUsage, fmt.Errorf("%w; give --user and PLUGBOARD_PASSWORD, or PLUGBOARD_TOKEN, or a --profile", err)}
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusConflict:
		return &failure{codeUsage, err}
	default:
		return &failure{codeFailed, err}
	}
}
