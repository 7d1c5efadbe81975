package plugintest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
)

// faults are what is wrong with a source, by what it does.
type faults struct {
	unhealthy, failing, restless, dropping, stubborn, credulous,
	panicking, blaming, telling, leaking, hanging, clinging bool
}

type settings struct {
	Size int    `json:"size"`
	Key  string `secret:"key"`
}

type model struct {
	Name string `json:"name"`
}

// source is a data source that is as it should be, but for its faults.
type source struct {
	faults
	settings
	count *atomic.Int64 // calls, of all instances
	quit  chan struct{}
}

func faulty(f faults) plugin.Plugin {
	var count atomic.Int64
	return plugin.DataSource(func(_ context.Context, s plugin.Settings[settings]) (*source, error) {
		switch {
		case f.panicking && s.Values.Size < 0:
			panic("a negative size")
		case f.telling && s.Values.Size < 0:
			return nil, fmt.Errorf("size %d is negative for %s", s.Values.Size, s.Values.Key)
		case s.Values.Size < 0 && !f.credulous:
			return nil, plugin.BadRequest("settings: size must not be negative")
		}
		opened := &source{faults: f, settings: s.Values, count: &count, quit: make(chan struct{})}
		if f.leaking {
			go func() { select {} }()
		}
		go func() { <-opened.quit }()
		return opened, nil
	})
}

func (s *source) Close() error {
	if s.clinging {
		select {}
	}
	close(s.quit)
	return nil
}

func (s *source) Query(ctx context.Context, q plugin.Query[model]) (frame.Frames, error) {
	n := s.count.Add(1)
	switch {
	case s.failing:
		return nil, errors.New("not today")
	case q.Model.Name == "slow" && s.stubborn:
		select {} // whatever ctx says
	case q.Model.Name == "slow":
		<-ctx.Done()
		return nil, ctx.Err()
	case q.Model.Name == "" && s.blaming:
		return nil, errors.New("no name")
	case q.Model.Name == "" && !s.credulous:
		return nil, plugin.BadRequest("query: name is missing")
	case s.dropping && n > callers:
		return nil, errors.New("too many at once")
	case s.restless:
		return frame.Frames{frame.New("", frame.NewField("n", nil, []int64{n}))}, nil
	}
	return frame.Frames{frame.New("", frame.NewField("name", nil, []string{q.Model.Name}))}, nil
}

func (s *source) CheckHealth(context.Context) (plugin.Health, error) {
	if s.unhealthy {
		return plugin.Health{}, errors.New("it is dark")
	}
	return plugin.Health{Message: "fine"}, nil
}

func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.hanging {
		<-r.Context().Done()
	}
	http.NotFound(w, r)
}

var subject = Subject{
	Context: plugin.Context{DataSource: &plugin.DataSourceSettings{
		UID: "it", JSON: []byte(`{"size":1}`), Secrets: plugin.Secrets{"key": "open sesame"},
	}},
	Query: `{"name":"world"}`, Slow: `{"name":"slow"}`, BadSettings: []string{`{"size":-1}`}, BadQueries: []string{`{}`},
}

func TestSuite(t *testing.T) { Suite(t, faulty(faults{}), subject) }

// TestRulesFail has a plugin for each rule that breaks it.
func TestRulesFail(t *testing.T) {
	for name, test := range map[string]struct {
		faults
		rule, want string
	}{
		"unhealthy": {faults{unhealthy: true}, "health", "settings that work are not healthy: it is dark"},
		"failing":   {faults{failing: true}, "query", `query {"name":"world"}: not today`},
		"hanging":   {faults{hanging: true}, "capabilities", "an unknown resource does not answer"},
		"restless":  {faults{restless: true}, "stable", "the same query has another answer"},
		"dropping":  {faults{dropping: true}, "concurrency", "too many at once"},
		"stubborn":  {faults{stubborn: true}, "cancellation", "still works on a query"},
		"swapping":  {faults{dropping: true}, "instance swaps", "while the settings change: "},
		"credulous": {faults{credulous: true}, "bad settings", `settings {"size":-1} are healthy`},
		"panicking": {faults{panicking: true}, "bad settings", `the health check with settings {"size":-1} met a panic`},
		"telling":   {faults{telling: true}, "bad settings", `tells the secret "key"`},
		"believing": {faults{credulous: true}, "bad queries", `query {} has an answer`},
		"blaming":   {faults{blaming: true}, "bad queries", "query {} is said to be the plugin's fault"},
		"clinging":  {faults{clinging: true}, "shutdown", "an instance was not closed"},
		"leaking":   {faults{leaking: true}, "goroutines", "goroutines of it have not"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if test.hanging || test.stubborn || test.leaking {
				ctx, cancel = context.WithTimeout(ctx, 2*time.Second)
				defer cancel()
			}
			err := check(ctx, ruleNamed(t, test.rule), faulty(test.faults), subject)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: error %v, want %s", test.rule, err, test.want)
			}
		})
	}
}

func ruleNamed(t *testing.T, name string) func(context.Context, *run) error {
	for _, rule := range rules {
		if rule.name == name {
			return rule.check
		}
	}
	t.Fatalf("no rule %q", name)
	return nil
}

// TestUnfit: a plugin that cannot be served says why.
func TestUnfit(t *testing.T) {
	err := check(t.Context(), health, plugin.Plugin{}, subject)
	if err == nil || !strings.Contains(err.Error(), "was not made by plugin.DataSource") {
		t.Error(err)
	}
}
