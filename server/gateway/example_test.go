package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/plugboard/plugboard/host"
	"github.com/plugboard/plugboard/server/access"
	"github.com/plugboard/plugboard/server/gateway"
)

// everybody is a guard that lets everybody in.
type everybody struct{}

func (everybody) Identify(*http.Request) (access.User, error) {
	return access.User{Login: "me", Role: access.Admin}, nil
}

// The API is an http.Handler over a host, a store and a guard.
func Example() {
	h, err := host.New(host.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	api := gateway.New(gateway.Config{Host: h, Guard: everybody{}}) // and a Store
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("GET", "/api/plugins/weather/health", nil))
	fmt.Println(w.Code, w.Body)
	// Output:
	// 404 {"message":"Plugin not found, no installed plugin with that id: \"weather\"","statusCode":404,"traceID":""}
}
