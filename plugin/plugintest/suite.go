package plugintest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// Subject is what the suite needs to know about a plugin. All that it leaves
// out is not tested.
type Subject struct {
	// Context has settings that work, of a data source or an app. Its secrets
	// are looked for in what the plugin says.
	Context plugin.Context
	// Query is the model of a query that has an answer.
	Query string
	// TimeRange is that of all queries. Default: the first day of 2024.
	TimeRange plugin.TimeRange
	// Changing says that the same query may have another answer next time.
	Changing bool
	// Slow is the model of a query that runs until it is cancelled, or at least
	// for a minute.
	Slow string
	// BadSettings are jsonData that the plugin has to refuse.
	BadSettings []string
	// BadQueries are models that it has to refuse. For all plugins, models that
	// are no objects are tried.
	BadQueries []string
}

// Suite checks what every plugin should do, rule by rule in a subtest each: that
// its capabilities answer, the same each time, to many callers at once; that
// cancelled calls end; that settings are replaced under load; that bad settings and
// queries are refused in words and reveal no secret; that it shuts down and leaves
// no goroutine behind. Each rule has the plugin to itself, from its start to its end.
func Suite(t *testing.T, p plugin.Plugin, s Subject) {
	t.Helper()
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			if rule.needs != nil && !rule.needs(s) {
				t.Skip(rule.missing)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := check(ctx, rule.check, p, s); err != nil {
				t.Error(err)
			}
		})
	}
}

// patience is how long a rule may take, and ends a plugin that hangs.
const patience = 90 * time.Second

// rule is one thing that every plugin should do.
type rule struct {
	name    string
	check   func(context.Context, *run) error
	needs   func(Subject) bool
	missing string
}

// rules are those of the suite, in their order.
var rules = []rule{
	{name: "health", check: health},
	{name: "query", check: query, needs: asks, missing: "the subject has no Query"},
	{name: "capabilities", check: capabilities},
	{name: "stable", check: stable, needs: func(s Subject) bool { return asks(s) && !s.Changing }, missing: "the subject has no Query, or it is Changing"},
	{name: "concurrency", check: concurrency},
	{name: "cancellation", check: cancellation, needs: func(s Subject) bool { return s.Slow != "" }, missing: "the subject has no Slow query"},
	{name: "instance swaps", check: swaps},
	{name: "bad settings", check: badSettings},
	{name: "bad queries", check: badQueries, needs: asks, missing: "the subject has no Query"},
	{name: "shutdown", check: shutdown},
	{name: "goroutines", check: goroutines},
}

func asks(s Subject) bool { return s.Query != "" }

// run is one rule being checked on a plugin that was started for it.
type run struct {
	Subject
	*served
	log *lockedBuffer
}

// check runs a rule. Whatever the rule, the plugin must end, and have told no
// secret.
func check(ctx context.Context, rule func(context.Context, *run) error, p plugin.Plugin, s Subject) error {
	if s.TimeRange == (plugin.TimeRange{}) {
		day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		s.TimeRange = plugin.TimeRange{From: day, To: day.Add(24 * time.Hour)}
	}
	r := &run{Subject: s, log: &lockedBuffer{}}
	var err error
	if r.served, err = serve(p, r.log); err != nil {
		return err
	}
	failure := rule(ctx, r)
	r.cancel()
	select {
	case err := <-r.ended:
		failure = errors.Join(failure, err, r.conn.Close())
	case <-time.After(patience):
		return errors.Join(failure, fmt.Errorf("the plugin did not end within %v of being told to", patience))
	}
	if told := r.revealed(r.log.String()); told != "" {
		failure = errors.Join(failure, fmt.Errorf("its log tells the secret %q", told))
	}
	return failure
}

// revealed is the name of a secret whose value text holds.
func (r *run) revealed(text string) string {
	secrets := plugin.Secrets{}
	if r.Context.DataSource != nil {
		secrets = r.Context.DataSource.Secrets
	} else if r.Context.App != nil {
		secrets = r.Context.App.Secrets
	}
	for name, value := range secrets {
		if len(value) > 3 && strings.Contains(text, value) {
			return name
		}
	}
	return ""
}

// said checks a message of the plugin for what no message may hold.
func (r *run) said(what, message string) error {
	if strings.Contains(message, "panic") {
		return fmt.Errorf("%s met a panic: %s; the log says\n%s", what, message, r.log.String())
	}
	if told := r.revealed(message); told != "" {
		return fmt.Errorf("%s tells the secret %q", what, told)
	}
	return nil
}

// ask asks one query. The error is the answer's, too.
func (r *run) ask(ctx context.Context, settings plugin.Context, model string) (frame.Frames, error) {
	response, err := r.client.Query(ctx, r.request(settings, model))
	if err != nil {
		return nil, err
	}
	answer, ok := response.Responses["A"]
	switch {
	case !ok:
		return nil, errors.New("there is no answer for ref id A")
	case answer.Error != "":
		return nil, &plugin.Error{Status: answer.Status, Message: answer.Error, Source: answer.ErrorSource}
	}
	return answer.Decode()
}

func (r *run) request(settings plugin.Context, model string) *plugin.QueryRequest {
	return &plugin.QueryRequest{Context: settings, Queries: []plugin.DataQuery{
		{RefID: "A", JSON: []byte(model), TimeRange: r.TimeRange, Interval: time.Minute, MaxDataPoints: 1000},
	}}
}

// changed are the settings with other jsonData if it is not nil, changed for the
// nth time.
func (r *run) changed(jsonData []byte, n int) plugin.Context {
	settings := r.Context
	at := time.Unix(int64(n), 0)
	if s := settings.DataSource; s != nil {
		other := *s
		other.Updated = at
		if jsonData != nil {
			other.JSON = jsonData
		}
		settings.DataSource = &other
	}
	if s := settings.App; s != nil {
		other := *s
		other.Updated = at
		if jsonData != nil {
			other.JSON = jsonData
		}
		settings.App = &other
	}
	return settings
}

// lockedBuffer is a log that many goroutines write.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
