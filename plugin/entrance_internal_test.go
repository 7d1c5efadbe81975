package plugin

import (
	"net"
	"strconv"
	"testing"
)

// TestListenTCP is how plugins listen on Windows.
func TestListenTCP(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	for _, test := range []struct {
		first, last string
		wrong       bool
	}{
		{"", "", false},
		{strconv.Itoa(port), strconv.Itoa(port + 100), false},
		{strconv.Itoa(port), strconv.Itoa(port), true},
		{"2", "1", true},
		{"first", "1", true},
	} {
		listener, err := listenTCP(test.first, test.last)
		if (err != nil) != test.wrong {
			t.Errorf("from %q to %q: %v", test.first, test.last, err)
		}
		if err == nil {
			listener.Close()
		}
	}
}
