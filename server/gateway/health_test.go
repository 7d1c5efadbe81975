package gateway

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/plugboard/plugboard/plugin"
)

func TestHealth(t *testing.T) {
	a := newAPI(t)
	r, w := httptest.NewRequest("GET", "/api/health", nil), httptest.NewRecorder()
	if a.ServeHTTP(w, r); w.Code != 200 || w.Body.String() != `{"commit":"abc","database":"ok","version":"1.2.3"}`+"\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	a.store.broken = errors.New("disk full")
	a.want(503, `{"commit":"abc","database":"failing","version":"1.2.3"}`, "GET", "/api/health", "")
}

func TestCheckHealth(t *testing.T) {
	a := newAPI(t)
	answer := plugin.Health{Status: plugin.HealthOK, Message: "fine", Details: []byte(`{"pid":1}`)}
	a.host.health = func(*plugin.HealthRequest) (plugin.Health, error) { return answer, nil }
	for _, path := range []string{"/api/datasources/uid/one/health", "/api/datasources/1/health", "/api/plugins/p-datasource/health"} {
		a.want(200, `{"details":{"pid":1},"message":"fine","status":"OK"}`, "GET", path, "")
	}
	a.want(200, `{"details":{"pid":1},"message":"fine","status":"OK"}`, "POST", "/api/datasources/uid/one/health", "")
	answer = plugin.Health{Status: plugin.HealthError, Message: "no way in with " + secret}
	a.want(400, `{"message":"no way in with [secret]","status":"ERROR"}`, "GET", "/api/datasources/uid/one/health", "")
	answer.Details = []byte(`[1]`)
	a.wantFailure(500, "", "Plugin health check failed: ", "GET", "/api/datasources/uid/one/health", "")
	a.host.health = func(*plugin.HealthRequest) (plugin.Health, error) { return plugin.Health{}, plugin.ErrNotImplemented }
	a.want(400, `{"message":"Health check not implemented","status":"UNKNOWN"}`, "GET", "/api/datasources/uid/one/health", "")
	a.host.health = func(*plugin.HealthRequest) (plugin.Health, error) { return plugin.Health{}, plugin.ErrUnavailable }
	a.wantFailure(503, "plugin.unavailable", "Plugin unavailable: ", "GET", "/api/datasources/uid/one/health", "")
	a.wantFailure(404, "", "Data source not found: ", "GET", "/api/datasources/uid/nosuch/health", "")
	a.wantFailure(404, "", "Plugin not found", "GET", "/api/plugins/nosuch/health", "")
	a.wantFailure(400, "", "id is invalid", "GET", "/api/datasources/one/health", "")
	a.wantFailure(404, "", "Not found", "GET", "/api/datasources/1/other", "")
}

func TestRoutes(t *testing.T) {
	a := newAPI(t)
	a.wantFailure(404, "", "Not found", "GET", "/api/zzz", "")
	a.wantFailure(404, "", "Not found", "GET", "/api/ds/query", "")
	r, w := httptest.NewRequest("GET", "/api/datasources", nil), httptest.NewRecorder()
	if a.ServeHTTP(w, r); w.Code != 401 {
		t.Errorf("a stranger gets %d %s", w.Code, w.Body)
	}
}
