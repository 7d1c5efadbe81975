package main

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/host/hosttest"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

func TestSharedState(t *testing.T) {
	p := hosttest.Run(t, ".", plugin.Context{DataSource: &plugin.DataSourceSettings{UID: "f", JSON: []byte(`{"cacheSize":2}`)}})
	ask := func(login string, number int, want string) {
		t.Helper()
		p.Context.User = &plugin.User{Login: login}
		frames, err := p.Query(fmt.Sprintf(`{"number":%d}`, number))
		if err != nil {
			t.Fatal(err)
		}
		var got []any
		for _, f := range frames[0].Fields {
			got = append(got, f.At(0))
		}
		if got := fmt.Sprint(got); got != want {
			t.Errorf("%s asks for %d: got %s, want %s", login, number, got, want)
		}
	}
	visitors := func(want string) {
		t.Helper()
		if answer, err := p.Call(http.MethodGet, "visitors", ""); err != nil || answer.Body != want+"\n" {
			t.Errorf("got %+v, %v", answer, err)
		}
	}

	ask("ada", 84, "[84 [2 2 3 7] ada false]")
	ask("bob", 84, "[84 [2 2 3 7] ada true]")
	ask("bob", 1000003, "[1000003 [1000003] bob false]")
	visitors(`{"ada":1,"bob":2}`)

	ask("bob", 6, "[6 [2 3] bob false]") // there is room for two
	ask("bob", 84, "[84 [2 2 3 7] bob false]")

	// Other settings: another cache, the same visitors.
	p.Context.DataSource.Updated = time.Now()
	ask("ada", 84, "[84 [2 2 3 7] ada false]")
	visitors(`{"ada":2,"bob":4}`)

	if _, err := p.Query(`{"number":1}`); err == nil || err.Error() != "query: number must be from 2 to 1000000000000000" {
		t.Errorf("got %v", err)
	}
}

// TestAtOnce has many people ask for a large prime: one of them is first.
func TestAtOnce(t *testing.T) {
	p := hosttest.Run(t, ".", plugin.Context{DataSource: &plugin.DataSourceSettings{UID: "f"}})
	fresh := make(chan bool, 20)
	var many sync.WaitGroup
	for range cap(fresh) {
		many.Go(func() {
			frames, err := p.Query(`{"number":999999999999989}`)
			if err != nil {
				t.Error(err)
				return
			}
			cached, _ := frame.Value[bool](frames[0].Field("cached"), 0)
			fresh <- !cached
		})
	}
	many.Wait()
	close(fresh)
	n := 0
	for first := range fresh {
		if first {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d were the first", n)
	}
}

func TestSuite(t *testing.T) {
	plugintest.Suite(t, plugin.DataSource(newVisitors().open), plugintest.Subject{
		Context: plugin.Context{User: &plugin.User{Login: "ada"}, DataSource: &plugin.DataSourceSettings{UID: "f"}},
		Query:   `{"number":84}`, Changing: true, BadQueries: []string{`{"number":1}`},
	})
}
