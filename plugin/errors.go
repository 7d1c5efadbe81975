package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

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
// is 502, or 504 if that took too long, unless err already carries one.
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
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || isNet && timeout.Timeout()
}

// BadRequest returns an error for a query, setting or request that cannot be
// right: status 400, the fault downstream of the plugin.
func BadRequest(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Message: err.Error(), Source: SourceDownstream, Status: http.StatusBadRequest, Err: errors.Unwrap(err)}
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
		failure.Status = cmp.Or(told.Status, failure.Status)
		return failure
	}
	_, isNet := errors.AsType[net.Error](err)
	switch {
	case tookTooLong(err):
		failure.Source, failure.Status = SourceDownstream, http.StatusGatewayTimeout
	case errors.Is(err, context.Canceled):
		failure.Source = SourceDownstream
	case isNet:
		failure.Source, failure.Status = SourceDownstream, http.StatusBadGateway
	}
	return failure
}

// toStatus turns an error of the author's code, or of this package, into what
// a gRPC call returns.
func toStatus(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotImplemented):
		return status.Error(codes.Unimplemented, "unimplemented")
	case errors.Is(err, ErrUnavailable):
		return status.Error(codes.Unavailable, err.Error())
	}
	// Not Canceled or DeadlineExceeded, whatever the author's code waited for:
	// those say that the call has ended, and then gRPC says so by itself.
	failure := failureOf(err)
	code := codes.Unknown
	if errors.Is(err, errReplaced) {
		code = codes.Aborted // to be tried again
	}
	st := status.New(code, failure.Message)
	detailed, detailErr := st.WithDetails(&errdetails.ErrorInfo{
		Metadata: map[string]string{errorSourceKey: string(failure.Source), statusKey: strconv.Itoa(failure.Status)},
	})
	if detailErr != nil {
		return st.Err()
	}
	return detailed.Err()
}

// What the ErrorInfo of a failed call carries: the key of the official SDK,
// and one of ours.
const (
	errorSourceKey = "errorSource"
	statusKey      = "status"
)

// How gRPC puts that a message is too large, and the limit in it where the
// message was an answer: go-plugin's clients take what fits an int32.
const tooLarge = "grpc: received message larger than max"

var ourLimit = fmt.Sprintf("vs. %d", math.MaxInt32)

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
	failure := &Error{Message: st.Message(), Source: SourcePlugin, Status: http.StatusInternalServerError, Err: err}
	if st.Code() == codes.ResourceExhausted && strings.HasPrefix(st.Message(), tooLarge) && !strings.Contains(st.Message(), ourLimit) {
		failure.Message = "the request is larger than the plugin takes: " + st.Message()
		failure.Source, failure.Status = SourceDownstream, http.StatusRequestEntityTooLarge
	}
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			failure.read(info.Metadata)
		}
	}
	return failure
}

func (e *Error) read(metadata map[string]string) {
	if metadata[errorSourceKey] == string(SourceDownstream) {
		e.Source = SourceDownstream
	}
	if code, err := strconv.Atoi(metadata[statusKey]); err == nil && code >= 100 && code <= 599 {
		e.Status = code
	}
}
