package plugin

import (
	"net/http"
	"strings"
)

// Forwarded HTTP headers share a string map with other keys of the wire, so
// they are told apart by a prefix.
const headerPrefix = "http_"

// SetHeader puts an HTTP header into the headers of a request, under the key
// that plugins look for. Bytes that are not UTF-8, which HTTP allows and the
// wire does not, become U+FFFD.
func SetHeader(headers map[string]string, name, value string) {
	headers[headerPrefix+http.CanonicalHeaderKey(name)] = toText(value)
}

func toText(value string) string { return strings.ToValidUTF8(value, "\uFFFD") }

// HTTPHeader returns the HTTP headers among the headers of a request: the
// prefixed ones, and Authorization, X-Id-Token and Cookie in any spelling.
func HTTPHeader(headers map[string]string) http.Header {
	header := http.Header{}
	for key, value := range headers {
		if name, prefixed := strings.CutPrefix(key, headerPrefix); prefixed {
			header.Set(name, value)
			continue
		}
		switch name := http.CanonicalHeaderKey(key); name {
		case "Authorization", "X-Id-Token", "Cookie":
			header.Set(name, value)
		}
	}
	return header
}
