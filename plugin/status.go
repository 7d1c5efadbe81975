package plugin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

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
