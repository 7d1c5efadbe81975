package plugin

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ErrorSource says whose fault a failure is.
type ErrorSource string

const (
	// SourcePlugin is a fault of the plugin itself; also the default.
	SourcePlugin ErrorSource = "plugin"
	// SourceDownstream is a fault of what the plugin talks to, or of the
	// query or settings it was given.
	SourceDownstream ErrorSource = "downstream"
)

var (
	// ErrNotImplemented: the plugin does not have the capability asked for.
	ErrNotImplemented = errors.New("not implemented by the plugin")
	// ErrUnavailable: the plugin's process is not there to answer, or died
	// while it did.
	ErrUnavailable = errors.New("plugin unavailable")
)

// Error is a failed call or query: a message for people, whose fault it was,
// and the HTTP status that says it best.
type Error struct {
	Message string
	// Source is the plugin if empty.
	Source ErrorSource
	// Status is 500 if zero.
	Status int
	// Err is what the error was made of, for errors.Is and errors.As.
	Err error
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an error with an HTTP status, 403 for instance: that of a
// server that was asked, or what says best why the plugin does not answer.
// Its source follows from the status, by the rules of Grafana's own SDK: 405,
// 406, 412, 413, 414, 416, 417, 426, 431 and 501 mean that the plugin has
// asked the wrong thing, every other status is downstream's. What %w wraps is
// found by errors.Is and errors.As.
func Errorf(status int, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Message: err.Error(), Source: sourceOfStatus(status), Status: status, Err: err}
}

// BadRequest returns an error for a query, setting or request that cannot be
// right: it is Errorf with the status 400, the fault downstream of the plugin.
func BadRequest(format string, args ...any) error {
	return Errorf(http.StatusBadRequest, format, args...)
}

func sourceOfStatus(status int) ErrorSource {
	switch status {
	case http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusPreconditionFailed,
		http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusRequestedRangeNotSatisfiable,
		http.StatusExpectationFailed, http.StatusUpgradeRequired, http.StatusRequestHeaderFieldsTooLarge,
		http.StatusNotImplemented:
		return SourcePlugin
	}
	return SourceDownstream
}

// Downstream marks err as the fault of what the plugin talks to. Its status
// is 502, or 504 if that took too long, unless err already carries one. It is
// needed only where the error does not tell: what a connection fails with is
// downstream's by itself.
func Downstream(err error) error {
	if err == nil {
		return nil
	}
	failure := &Error{Message: err.Error(), Source: SourceDownstream, Status: http.StatusBadGateway, Err: err}
	if inner, ok := errors.AsType[*Error](err); ok && inner.Status != 0 {
		failure.Status = inner.Status
	} else if tookTooLong(err) {
		failure.Status = http.StatusGatewayTimeout
	}
	return failure
}

func tookTooLong(err error) bool {
	timeout, isNet := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || isNet && timeout.Timeout() ||
		codeOf(err) == codes.DeadlineExceeded
}

// ofNetwork tells whether err is what a connection fails with. That a file is
// missing is a net.Error too, as every error of a system call is.
func ofNetwork(err error) bool {
	if u, ok := errors.AsType[*url.Error](err); ok && u.Op != "parse" {
		return true
	}
	for _, refusal := range []error{syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EHOSTUNREACH, syscall.ENETUNREACH} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return is[*net.OpError](err) || is[*net.DNSError](err) || is[*tls.CertificateVerificationError](err) ||
		is[x509.UnknownAuthorityError](err) || is[x509.HostnameError](err) || is[x509.CertificateInvalidError](err) ||
		codeOf(err) == codes.Unavailable
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// codeOf returns the code that a gRPC call failed with, codes.OK if err is not
// of such a call.
func codeOf(err error) codes.Code {
	if of, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err); ok {
		return of.GRPCStatus().Code()
	}
	return codes.OK
}

// failureOf says of an error what the wire has to say: message, source and
// status. Of nil it says that all is well.
func failureOf(err error) *Error {
	if err == nil {
		return &Error{Source: SourcePlugin, Status: http.StatusOK}
	}
	failure := &Error{Message: err.Error(), Source: SourcePlugin, Status: http.StatusInternalServerError, Err: err}
	if told, ok := errors.AsType[*Error](err); ok {
		failure.Source = cmp.Or(told.Source, SourcePlugin)
		if told.Status >= 100 && told.Status <= 599 {
			failure.Status = told.Status
		}
		return failure
	}
	switch {
	case tookTooLong(err):
		failure.Source, failure.Status = SourceDownstream, http.StatusGatewayTimeout
	case errors.Is(err, context.Canceled), codeOf(err) == codes.Canceled:
		failure.Source = SourceDownstream
	case ofNetwork(err):
		failure.Source, failure.Status = SourceDownstream, http.StatusBadGateway
	}
	return failure
}

// WriteError answers a call of a resource with an error: its status, and a
// JSON object with its message and errorSource.
func WriteError(w http.ResponseWriter, err error) {
	failure := failureOf(err)
	body, _ := json.Marshal(map[string]string{"message": failure.Message, "errorSource": string(failure.Source)}) // strings always can
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Del("Content-Length")
	w.WriteHeader(failure.Status)
	_, _ = w.Write(body) // the caller has gone away, or not
}
