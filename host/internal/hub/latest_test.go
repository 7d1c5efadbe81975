package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"

	"github.com/plugboard/plugboard/plugin"
)

// TestLateListeners join after some packets of a stream.
func TestLateListeners(t *testing.T) {
	const a, b = `{"schema":{"name":"a}\""},"data":{"values":[[1]]}}`, `{"schema":{"name":"b"},"data":{"values":[["x"]]}}`
	const more = `{"data":{"values":[[2]]}}`
	const whole = `{"schema":{"name":"a}\""},"data":{"values":[[2]]}}`
	for name, test := range map[string]struct {
		sent    []string
		own     string // what the plugin has for the late one
		initial string
		first   string // a packet before those to come
	}{
		"no packet yet":                        {nil, "", "", ""},
		"a frame":                              {[]string{a}, "", a, ""},
		"a frame and rows":                     {[]string{a, more}, "", whole, ""},
		"another frame":                        {[]string{a, more, b}, "", b, ""},
		"what is no frame in between":          {[]string{a, `"hi"`, more, `7`}, "", whole, ""},
		"no frame":                             {[]string{`"hi"`, `{"datum":1}`, `{}`, ``, more}, "", "", ""},
		"no JSON":                              {[]string{`{"schema":{"name`, `{"schema":[]}`}, "", "", ""},
		"rows that are no JSON":                {[]string{a, `{"data":`}, "", "", ""},
		"the plugin's own, of the same schema": {[]string{a, more}, a, a, ""},
		"the plugin's own, of another":         {[]string{a, more}, b, b, whole},
		"the plugin's own, no frame":           {[]string{a, more}, `"hi"`, `"hi"`, whole},
		"every frame with its schema":          {[]string{a, a}, b, b, ""},
		"the plugin's own, nothing yet":        {nil, b, b, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{run: func(ctx context.Context, _ int, _ *plugin.StreamRequest, send func([]byte) error) error {
				for _, packet := range test.sent {
					if err := send([]byte(packet)); err != nil {
						return err
					}
				}
				<-ctx.Done()
				return ctx.Err()
			}}
			bubble(t, f, func(t *testing.T, h *Hub) {
				if early := join(h, "early"); early.Initial() != nil {
					t.Errorf("the first gets %s", early.Initial())
				}
				synctest.Wait()
				late := h.Join(key, &plugin.StreamRequest{}, nil, []byte(test.own))
				if got := string(late.Initial()); got != test.initial {
					t.Errorf("initial packet %s", got)
				}
				h.Publish(key, []byte(`"published"`))
				first := next(t, late)
				if test.first != "" && first == test.first {
					first = next(t, late)
				}
				if first != `"published"` {
					t.Errorf("then %s", first)
				}
			})
		})
	}
}

// TestNothingIsKeptOfAFormerRun: the settings may be others.
func TestNothingIsKeptOfAFormerRun(t *testing.T) {
	f := &fake{run: func(ctx context.Context, run int, _ *plugin.StreamRequest, send func([]byte) error) error {
		if run == 1 {
			_ = send([]byte(`{"schema":{},"data":{}}`))
		}
		<-ctx.Done()
		return ctx.Err()
	}}
	bubble(t, f, func(t *testing.T, h *Hub) {
		next(t, join(h, "early"))
		h.Renew(key.Plugin, key.DataSource)
		synctest.Wait()
		if late := join(h, "late"); late.Initial() != nil {
			t.Errorf("initial packet %s", late.Initial())
		}
	})
}

func FuzzLatest(f *testing.F) {
	f.Add([]byte(`{"schema":{"a":"}\\\""},"data":{}}`), []byte(`{"data":{}}`))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var l latest
		for _, packet := range [][]byte{first, second, first} {
			l.note(packet)
			if whole := l.whole(); whole != nil && !json.Valid(whole) {
				t.Errorf("%s", whole)
			}
		}
		if n := objectLength(first); json.Valid(first) && bytes.HasPrefix(first, []byte("{")) && !json.Valid(first[:n]) {
			t.Errorf("%d bytes of %s", n, first)
		}
	})
}
