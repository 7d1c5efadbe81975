package main

import (
	"net/http"
	"testing"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/plugintest"
)

func TestNotes(t *testing.T) {
	client := plugintest.Start(t, plugin.App(open))
	call := func(method, body string) (status int, answer string) {
		err := client.CallResource(t.Context(), &plugin.ResourceRequest{
			Context: plugin.Context{App: &plugin.AppSettings{JSON: []byte(`{"limit":1}`)}, User: &plugin.User{Login: "ada"}},
			Path:    "notes", Method: method, Body: []byte(body),
		}, func(r plugin.ResourceResponse) error {
			if r.Status != 0 {
				status = r.Status
			}
			answer += string(r.Body)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return status, answer
	}
	for _, step := range []struct {
		method, body string
		status       int
		answer       string
	}{
		{http.MethodPost, `{"text":"buy milk"}`, http.StatusCreated, ""},
		{http.MethodPost, `[]`, http.StatusBadRequest, "a note is an object: json: cannot unmarshal array into Go value of type main.note\n"},
		{http.MethodPost, `{"text":"call Bob"}`, http.StatusInsufficientStorage, "there is no room for more notes\n"},
		{http.MethodGet, "", http.StatusOK, `[{"by":"ada","text":"buy milk"}]` + "\n"},
		{http.MethodDelete, "", http.StatusMethodNotAllowed, "Method Not Allowed\n"},
	} {
		if status, answer := call(step.method, step.body); status != step.status || answer != step.answer {
			t.Errorf("%s %s: got %d %q", step.method, step.body, status, answer)
		}
	}
}
