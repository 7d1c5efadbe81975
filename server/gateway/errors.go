package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/access"
	"github.com/plugboard/plugboard/server/datasource"
)

// failure is an error the way a client sees it. Its message begins with the
// words that Grafana uses, if it has any, and goes on with what, where and
// whose fault.
type failure struct {
	status  int
	id      string // Grafana's messageId
	message string
	source  plugin.ErrorSource // empty where neither the plugin nor its downstream is at fault
	cause   error              // for the log
}

func (f *failure) Error() string { return f.message }
func (f *failure) Unwrap() error { return f.cause }

// statusClientGone is what a client that has gone away would have got.
const statusClientGone = 499

func badRequest(format string, args ...any) *failure {
	return &failure{status: http.StatusBadRequest, message: fmt.Errorf(format, args...).Error()}
}

func notFound(format string, args ...any) *failure {
	return &failure{status: http.StatusNotFound, message: fmt.Sprintf(format, args...)}
}

func forbidden(format string, args ...any) *failure {
	return &failure{status: http.StatusForbidden, message: fmt.Sprintf(format, args...)}
}

// call names one kind of call for its failures.
type call struct {
	endpoint string // the label in metrics
	failed   string // Grafana's words for a failure that has no better ones
	id       string // and its messageId
}

var (
	callQuery     = call{"query", "An error occurred within the plugin", "plugin.downstreamError"}
	callHealth    = call{"health", "Plugin health check failed", ""}
	callResource  = call{"resource", "Failed to call resource", ""}
	callMetrics   = call{"metrics", "Failed to collect the plugin's metrics", ""}
	callSchema    = call{"schema", "Failed to ask the plugin for its schema", ""}
	callSubscribe = call{"subscribe", "Failed to subscribe", ""}
	callPublish   = call{"publish", "Failed to publish", ""}
)

// failed translates the error of a call to a target.
func (t target) failed(c call, err error) *failure {
	f := &failure{}
	switch reported, _ := errors.AsType[*plugin.Error](err); {
	case errors.Is(err, context.Canceled):
		f.status, f.message = statusClientGone, "The client has gone away"
	case errors.Is(err, context.DeadlineExceeded):
		f.status, f.message = http.StatusGatewayTimeout, fmt.Sprintf("%s: %s did not answer in time", c.failed, t)
	case errors.Is(err, host.ErrNotFound):
		f.status, f.id = http.StatusNotFound, "plugin.notRegistered"
		f.message = fmt.Sprintf("Not found: %s: the plugin is not installed here", t)
	case errors.Is(err, host.ErrNoBackend):
		f.status, f.id = http.StatusServiceUnavailable, "plugin.unavailable"
		f.message = fmt.Sprintf("Plugin unavailable: %s: the plugin has no backend, it works in a browser only", t)
	case errors.Is(err, host.ErrBusy):
		f.status, f.id = http.StatusServiceUnavailable, "plugin.busy"
		f.message = fmt.Sprintf("Plugin busy: %s: %s", t, strings.TrimPrefix(err.Error(), host.ErrBusy.Error()+": "+t.PluginID+": "))
	case errors.Is(err, host.ErrStopped):
		f.status, f.id, f.source = http.StatusServiceUnavailable, "plugin.unavailable", plugin.SourcePlugin
		f.message = fmt.Sprintf("Plugin unavailable: %s: %s; to start it: plugboard plugin start %s", t, t.unavailable(err), t.PluginID)
	case errors.Is(err, plugin.ErrUnavailable):
		f.status, f.id, f.source = http.StatusServiceUnavailable, "plugin.unavailable", plugin.SourcePlugin
		f.message = fmt.Sprintf("Plugin unavailable: %s: %s", t, t.unavailable(err))
	case errors.Is(err, plugin.ErrNotImplemented):
		f.status, f.id = http.StatusNotFound, "plugin.notImplemented"
		f.message = fmt.Sprintf("Not found: %s: the plugin does not answer %s calls", t, c.endpoint)
	case errors.Is(err, host.ErrStreamNotFound):
		f.status, f.message = http.StatusNotFound, fmt.Sprintf("Not Found: %s: the plugin knows no such channel", t)
	case errors.Is(err, host.ErrStreamDenied):
		f.status, f.message = http.StatusForbidden, fmt.Sprintf("Forbidden: %s: the plugin refuses this channel", t)
	case reported != nil:
		f.status, f.id, f.source = reportedStatus(reported), c.id, cmp.Or(reported.Source, plugin.SourcePlugin)
		f.message = fmt.Sprintf("%s: %s: %s", c.failed, t, reported.Message)
	default:
		f.status, f.message = http.StatusInternalServerError, fmt.Sprintf("Internal server error: %s call to %s", c.endpoint, t)
		f.cause = errors.New(t.redact(err.Error()))
	}
	f.message = t.redact(f.message)
	return f
}

// unavailable returns what the host says of a plugin that is not there, without
// the words that the message has already.
func (t target) unavailable(err error) string {
	text := strings.TrimPrefix(err.Error(), plugin.ErrUnavailable.Error()+": ")
	return strings.TrimPrefix(text, t.PluginID+" ")
}

// reportedStatus lets a failure downstream be told from one of the plugin.
func reportedStatus(e *plugin.Error) int {
	switch {
	case e.Source == plugin.SourceDownstream && (e.Status == http.StatusInternalServerError || e.Status == 0):
		return http.StatusBadGateway
	case e.Status >= 400 && e.Status <= 599:
		return e.Status
	default:
		return http.StatusInternalServerError
	}
}

// sourceFailure translates the store's error for the data source that key names.
func sourceFailure(key datasource.Key, err error) *failure {
	if errors.Is(err, datasource.ErrNotFound) {
		return notFound("Data source not found: none has the %s", key)
	}
	return storeFailure(err)
}

// storeFailure translates the store's errors.
func storeFailure(err error) *failure {
	f := &failure{cause: err, message: err.Error()}
	switch {
	case errors.Is(err, datasource.ErrInvalid):
		f.status, f.message = http.StatusBadRequest, "bad request data: "+err.Error()
	case errors.Is(err, datasource.ErrNotFound):
		f.status = http.StatusNotFound
	case errors.Is(err, datasource.ErrExists), errors.Is(err, datasource.ErrStale):
		f.status = http.StatusConflict
	case errors.Is(err, datasource.ErrReadOnly):
		f.status = http.StatusForbidden
	case errors.Is(err, context.Canceled):
		f.status, f.message = statusClientGone, "The client has gone away"
	default:
		f.status, f.message = http.StatusInternalServerError, "Internal server error: the store: "+err.Error()
	}
	return f
}

// redact takes a target's secrets out of what its plugin says: some put the
// whole connection string into an error. Very short secrets stay, they could be
// any part of any word.
func (t target) redact(text string) string { return redact(text, t.secrets()) }

func redact(text string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) >= 4 {
			text = strings.ReplaceAll(text, secret, "[secret]")
		}
	}
	return text
}

// refused translates why the guard does not let a request in.
func refused(w http.ResponseWriter, err error) *failure {
	f := &failure{message: err.Error()}
	wait, _ := errors.AsType[*access.TooManyAttempts](err)
	switch {
	case wait != nil:
		w.Header().Set("Retry-After", strconv.Itoa(wait.Seconds()))
		f.status = http.StatusTooManyRequests
	case unknown(err):
		f.status = http.StatusUnauthorized
	case errors.Is(err, access.ErrOrigin):
		f.status = http.StatusForbidden
	case errors.Is(err, access.ErrBadRequest):
		f.status = http.StatusBadRequest
	default:
		f.status, f.message, f.cause = http.StatusInternalServerError, "Internal server error: the login", err
	}
	return f
}

// unknown reports whether the guard says that a request is nobody's.
func unknown(err error) bool {
	for _, sort := range []error{
		access.ErrUnauthorized, access.ErrBadPassword, access.ErrBadToken, access.ErrExpiredToken, access.ErrDisabledAccount,
	} {
		if errors.Is(err, sort) {
			return true
		}
	}
	return false
}

// accountFailure translates the errors of access.Accounts.
func accountFailure(err error) *failure {
	f := &failure{cause: err, message: err.Error()}
	switch {
	case errors.Is(err, access.ErrInvalid):
		f.status, f.message = http.StatusBadRequest, "bad request data: "+err.Error()
	case errors.Is(err, access.ErrNotFound):
		f.status = http.StatusNotFound
	case errors.Is(err, access.ErrExists):
		f.status = http.StatusConflict
	case errors.Is(err, context.Canceled):
		f.status, f.message = statusClientGone, "The client has gone away"
	default:
		f.status, f.message = http.StatusInternalServerError, "Internal server error: the store: "+err.Error()
	}
	return f
}
