package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin/internal/schema"
	"github.com/plugboard/plugboard/trace"
)

// Plugin is what Main serves. DataSource and App make one.
type Plugin struct {
	noun  string
	open  func(context.Context, seed) (*instance, error)
	offer offer
	// tracer is nil if there are to be no spans.
	tracer func(*slog.Logger) (trace.Tracer, error)
	// idle is how long an unused instance stays open; 0 is for ever.
	idle time.Duration
	// settings and query are what the author's structs take; an app has no
	// query.
	settings, query *schema.Type
	// faults are what is wrong with the author's types: Serve reports them.
	faults error
}

// What a plugin is made of, in words.
const (
	nounDataSource = "data source"
	nounApp        = "app"
)

// DataSource returns the plugin whose data sources open opens, one instance
// for each data source that people configured.
//
// S is what the settings decode into (see Settings), Q what a query decodes
// into (see Query). Beside Query, an instance may have the methods of
// BatchQuerier, ChunkQuerier, HealthChecker, http.Handler, Subscriber,
// Publisher, Streamer and io.Closer; what it lacks, the plugin answers with
// ErrNotImplemented. All of them may be called from many goroutines at once.
//
// open is called with the first call for a data source and again when its
// settings have changed; a change of GrafanaConfig alone is none. Its ctx ends
// when it returns. Its error answers the call, and those that follow until it
// is tried again: after half a second at first, half a minute at last, or at
// once by a health check or with other settings. Calls made with the settings
// before still find the instance before.
//
// An instance is closed once, when the last call and stream on it has ended,
// after its settings have changed, its data source was deleted, it was idle
// (see CloseIdle), or the plugin is to end.
//
// I must be a concrete type. A method that has the name of one of these
// capabilities but another signature is a fault that Serve reports.
func DataSource[S, Q any, I Querier[Q]](open func(context.Context, Settings[S]) (I, error)) Plugin {
	t := reflect.TypeFor[I]()
	p := newPlugin[S, I](nounDataSource, open)
	p.offer.query = true
	p.offer.batch = offers[BatchQuerier[Q]](t, &p.faults)
	p.offer.chunks = offers[ChunkQuerier[Q]](t, &p.faults)
	queries, err := schema.Of(reflect.TypeFor[Q](), schema.Options{Common: commonQueryKeys})
	p.query, p.faults = queries, errors.Join(p.faults, err)

	openOne := p.open
	p.open = func(ctx context.Context, s seed) (*instance, error) {
		in, err := openOne(ctx, s)
		if err == nil {
			addQueries[Q](in, queries)
		}
		return in, err
	}
	return p
}

// App returns the app plugin that open opens: like DataSource, without
// queries.
func App[S, I any](open func(context.Context, Settings[S]) (I, error)) Plugin {
	return newPlugin[S, I](nounApp, open)
}

func newPlugin[S, I any](noun string, open func(context.Context, Settings[S]) (I, error)) Plugin {
	p := Plugin{noun: noun, idle: defaultIdle}
	p.offer = inspect(reflect.TypeFor[I](), &p.faults)
	t, err := schema.Of(reflect.TypeFor[S](), settingsOptions(noun))
	p.settings, p.faults = t, errors.Join(p.faults, err)
	p.open = func(ctx context.Context, s seed) (*instance, error) {
		settings, err := newSettings[S](t, s)
		if err != nil {
			return nil, err
		}
		opened, err := open(ctx, settings)
		if err != nil {
			return nil, err
		}
		if v := reflect.ValueOf(opened); v.Kind() == reflect.Pointer && v.IsNil() {
			return nil, fmt.Errorf("the plugin opened no %s and gave no reason", noun)
		}
		return newInstance(opened), nil
	}
	return p
}

// seed is what an instance is opened from.
type seed struct {
	context Context
	logger  *slog.Logger
	metrics prometheus.Registerer
}

// instance is the author's, its types forgotten; what it lacks is nil.
type instance struct {
	author     any
	query      func(context.Context, DataQuery) (frame.Frames, error)
	batch      func(context.Context, []DataQuery) (Answers, error)
	chunks     func(context.Context, DataQuery, func(*frame.Frame) error) error
	health     HealthChecker
	resources  http.Handler
	subscriber Subscriber
	publisher  Publisher
	streamer   Streamer
	closer     io.Closer
}

func newInstance(author any) *instance {
	in := &instance{author: author}
	in.health, _ = author.(HealthChecker)
	in.resources, _ = author.(http.Handler)
	in.subscriber, _ = author.(Subscriber)
	in.publisher, _ = author.(Publisher)
	in.streamer, _ = author.(Streamer)
	in.closer, _ = author.(io.Closer)
	return in
}
