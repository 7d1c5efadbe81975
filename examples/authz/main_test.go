package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/host/hosttest"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

// permissions is the service: admins may see all, cooks the kitchen.
func permissions(w http.ResponseWriter, r *http.Request) {
	admin := r.FormValue("role") == "Admin"
	cook := r.FormValue("user") == "cook" && r.FormValue("department") == "kitchen"
	fmt.Fprintf(w, `{"allowed":%t}`, admin || cook)
}

func TestBudgets(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(permissions))
	defer service.Close()
	p := hosttest.Run(t, ".", plugin.Context{DataSource: &plugin.DataSourceSettings{UID: "b", URL: service.URL}})

	ada, cook := &plugin.User{Login: "ada", Role: "Admin"}, &plugin.User{Login: "cook", Role: "Viewer"}
	for _, c := range []struct {
		user       *plugin.User
		department string
		want       string
	}{
		{ada, "lab", "3 months"},
		{cook, "kitchen", "3 months"},
		{cook, "lab", `403 downstream: cook may not see the budget of department "lab"`},
		{cook, "attic", `403 downstream: cook may not see the budget of department "attic"`},
		{ada, "attic", `400 downstream: query: there is no department "attic"`},
		{nil, "kitchen", "403 downstream: budgets are for people who are logged in"},
	} {
		p.Context.User = c.user
		if got := ask(t, p, c.department); got != c.want {
			t.Errorf("%v asks for %s: got %s", c.user, c.department, got)
		}
	}
	for user, want := range map[*plugin.User]string{ada: `["kitchen","lab"]`, cook: `["kitchen"]`, nil: `[]`} {
		p.Context.User = user
		if answer, err := p.Call(http.MethodGet, "departments", ""); err != nil || strings.TrimSpace(answer.Body) != want {
			t.Errorf("%v: got %+v, %v", user, answer, err)
		}
	}
	if health, err := p.CheckHealth(); err != nil || health.Status != plugin.HealthOK {
		t.Errorf("got %+v, %v", health, err)
	}

	// Without the service, nobody may see anything.
	service.Close()
	p.Context.User = ada
	if got := ask(t, p, "lab"); !strings.HasPrefix(got, "502 downstream: permission service: ") {
		t.Errorf("without the service: got %s", got)
	}
	p.Context.DataSource.URL, p.Context.DataSource.Updated = "", time.Now()
	if health, err := p.CheckHealth(); err != nil || health.Status != plugin.HealthError {
		t.Errorf("without settings: got %+v, %v", health, err)
	}
}

func ask(t *testing.T, p *hosttest.Plugin, department string) string {
	t.Helper()
	frames, err := p.Query(fmt.Sprintf(`{"department":%q}`, department))
	if err == nil {
		return fmt.Sprintf("%d months", frames[0].Rows())
	}
	failure, ok := errors.AsType[*plugin.Error](err)
	if !ok {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s: %s", failure.Status, failure.Source, failure.Message)
}

func TestSuite(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(permissions))
	defer service.Close()
	plugintest.Suite(t, plugin.DataSource(open), plugintest.Subject{
		Context: plugin.Context{User: &plugin.User{Login: "ada", Role: "Admin"}, DataSource: &plugin.DataSourceSettings{UID: "b", URL: service.URL}},
		Query:   `{"department":"lab"}`, BadQueries: []string{`{"department":"attic"}`},
	})
}
