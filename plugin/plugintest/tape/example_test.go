package tape_test

import (
	"flag"
	"net/http"
	"testing"

	"github.com/plugboard/plugboard/plugin/plugintest/tape"
)

var update = flag.Bool("update", false, "record anew")

// A test that asks the real API when it is run with -update, and nobody
// otherwise.
func Example() {
	test := func(t *testing.T) {
		recording := tape.Open(t, "testdata/stations.json", *update)
		client := &http.Client{Transport: recording.RoundTripper(http.DefaultTransport)}
		response, err := client.Get("https://api.example.org/stations")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	_ = test
	// Output:
}
