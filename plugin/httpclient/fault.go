package httpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/plugboard/plugboard/plugin"
)

// ErrTooLong is in the error of a response that is longer than the settings
// allow.
var ErrTooLong = errors.New("response too long")

// Fault returns what the client's Do returned as a *plugin.Error: method, URL
// as SafeURL writes it and reason, the fault downstream, status 502, or 504 if
// it took too long. Nil stays nil, and an error because the caller gave up
// stays context.Canceled.
func Fault(err error) error {
	if err == nil {
		return nil
	}
	told, ok := errors.AsType[*url.Error](err)
	if !ok {
		return fault("", "", err)
	}
	where := "?"
	if u, err := url.Parse(told.URL); err == nil {
		where = SafeURL(u)
	}
	return fault(strings.ToUpper(told.Op), where, told)
}

func fault(method, where string, err error) error {
	if already, ok := errors.AsType[*plugin.Error](err); ok {
		return already
	}
	reason := err
	if wrapped, ok := err.(*url.Error); ok {
		reason = wrapped.Err
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s %s: %w", method, where, context.Canceled)
	}
	failure := &plugin.Error{Source: plugin.SourceDownstream, Status: http.StatusBadGateway, Err: reason}
	text := reason.Error()
	if timedOut(err) {
		failure.Status = http.StatusGatewayTimeout
		text = "no answer within the time limit: " + text
	}
	failure.Message = strings.TrimSpace(method + " " + where + ": " + text)
	return failure
}

func timedOut(err error) bool {
	network, ok := errors.AsType[net.Error](err)
	return ok && network.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// passing tells whether an error may be gone the next time: not one of TLS, or
// of a name that there is not.
func passing(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return false
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return false
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return false
	}
	if name, ok := errors.AsType[*net.DNSError](err); ok {
		return !name.IsNotFound
	}
	return !timedOut(err)
}

// Refusal returns the error that a response is, by its status; nil for 2xx.
// It does not read the body, which is still to be closed.
//
// Whose fault it is goes by the rules of the official SDK: a request that the
// server finds badly made is the plugin's, everything else downstream. The
// error's status is the response's; but where the server turned down the
// credentials of the settings it is 502, as those of the person who asks are
// another matter.
func Refusal(response *http.Response) error {
	code := response.StatusCode
	if code >= 200 && code <= 299 {
		return nil
	}
	failure := &plugin.Error{Source: plugin.SourceDownstream, Status: code}
	switch code {
	case http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusPreconditionFailed,
		http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusRequestedRangeNotSatisfiable,
		http.StatusExpectationFailed, http.StatusUpgradeRequired, http.StatusRequestHeaderFieldsTooLarge,
		http.StatusNotImplemented:
		failure.Source = plugin.SourcePlugin
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		failure.Status = http.StatusBadGateway
	}
	if code < 400 {
		failure.Status = http.StatusBadGateway
	}
	failure.Message = strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
	if r := response.Request; r != nil {
		failure.Message = r.Method + " " + SafeURL(r.URL) + ": " + failure.Message
	}
	return failure
}

// SafeURL writes a URL without what may be secret in it: user, password, query
// and fragment.
func SafeURL(u *url.URL) string {
	safe := url.URL{Scheme: u.Scheme, Opaque: u.Opaque, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return safe.String()
}
