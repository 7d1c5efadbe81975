package plugin

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// recovered, deferred around the author's code, turns its panic into an error
// with the stack in the log, and makes sure that an error it returned is safe
// to look at.
func recovered(ctx context.Context, logger *slog.Logger, err *error) {
	switch cause := recover(); cause {
	case nil:
		*err = sound(*err)
	case http.ErrAbortHandler: // how a handler says that it cannot finish
		*err = http.ErrAbortHandler
	default:
		logger.ErrorContext(ctx, "the plugin panicked", keyPanic, fmt.Sprint(cause), keyStack, string(debug.Stack()))
		*err = panicked("the plugin panicked: %v", cause)
	}
}

// sound returns err; or another error if err itself panics, as a nil pointer
// in an error does.
func sound(err error) (safe error) {
	defer func() {
		if cause := recover(); cause != nil {
			safe = panicked("the plugin returned an error (%T) that panics: %v", err, cause)
		}
	}()
	failureOf(err) // looks at all of it
	return err
}

func panicked(format string, args ...any) error {
	return &Error{Message: fmt.Sprintf(format, args...), Source: SourcePlugin, Status: http.StatusInternalServerError}
}
