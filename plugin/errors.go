package plugin

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
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
	Source  ErrorSource
	Status  int
	// Err is the cause, if there is one beyond the message.
	Err error
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Err }

// Downstream marks err as the fault of what the plugin talks to. Its status
// is 502 unless err already carries one.
func Downstream(err error) error {
	if err == nil {
		return nil
	}
	failure := &Error{Message: err.Error(), Source: SourceDownstream, Status: http.StatusBadGateway, Err: err}
	if inner, ok := errors.AsType[*Error](err); ok && inner.Status != 0 {
		failure.Status = inner.Status
	}
	return failure
}

// BadRequest returns an error for a query, setting or request that cannot be
// right: status 400, the fault downstream of the plugin.
func BadRequest(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Message: err.Error(), Source: SourceDownstream, Status: http.StatusBadRequest, Err: errors.Unwrap(err)}
}

// The reason of the ErrorInfo that carries the source of a whole-call error.
const errorSourceKey = "errorSource"

// fromStatus turns what a gRPC call returned into an error of this package.
func fromStatus(err error) error {
	if err == nil {
		return nil
	}
	st := status.Convert(err)
	switch st.Code() {
	case codes.Unimplemented:
		return ErrNotImplemented
	case codes.Unavailable:
		return fmt.Errorf("%w: %s", ErrUnavailable, st.Message())
	case codes.Canceled:
		return fmt.Errorf("%w: %s", context.Canceled, st.Message())
	case codes.DeadlineExceeded:
		return fmt.Errorf("%w: %s", context.DeadlineExceeded, st.Message())
	}
	return &Error{Message: st.Message(), Source: statusSource(st), Status: http.StatusInternalServerError, Err: err}
}

func statusSource(st *status.Status) ErrorSource {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.Metadata[errorSourceKey] == string(SourceDownstream) {
			return SourceDownstream
		}
	}
	return SourcePlugin
}
