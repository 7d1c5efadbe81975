package gateway

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestSwitch(t *testing.T) {
	a := newAPI(t)
	for verb, done := range map[string]string{"reload": "reloaded", "rollback": "rolled back", "upgrade": "upgraded"} {
		got := ""
		a.host.order = func(verb, id string) error { got = verb + " " + id; return nil }
		answer := a.call("POST", "/api/plugins/p-datasource/"+verb, "a zip file")
		if answer.Code != 200 || !strings.Contains(answer.Body.String(), `"message":"Plugin `+done+`"`) || got != verb+" p-datasource" {
			t.Errorf("%s answers %d %s, and the host was told to %q", verb, answer.Code, answer.Body, got)
		}
		a.host.order = func(string, string) error { return errors.New("it says " + secret) }
		answer = a.call("POST", "/api/plugins/p-datasource/"+verb, "")
		if answer.Code != 409 || !strings.Contains(answer.Body.String(), "it says ") || strings.Contains(answer.Body.String(), secret) {
			t.Errorf("%s that fails answers %d %s", verb, answer.Code, answer.Body)
		}
	}
	a.wantFailure(404, "", "Plugin not found", "POST", "/api/plugins/nosuch/upgrade", "")
}

// received is what an upgrade hands to the host.
func received(from string, signed bool) error {
	content, err := os.ReadFile(from)
	if err == nil && !signed {
		err = errors.New("it need not be signed")
	}
	if err == nil && len(content) == 0 {
		return nil // of a test of failures
	}
	return err
}
