package tape

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

const redacted = "REDACTED"

// secretName is a name whose value is nobody's business.
var secretName = regexp.MustCompile(`(?i)passw|secret|token|cookie|authori[sz]ation|authenticate|credential|signature|session|^auth$|^sig$|(^|[-_])key$|api-?key|access-?key|private-?key`)

// redactURL takes the secrets out of a URL.
func redactURL(from *url.URL) *url.URL {
	u := *from
	u.User = nil
	values := u.Query()
	for name := range values {
		if secretName.MatchString(name) {
			values.Set(name, redacted)
		}
	}
	u.RawQuery = values.Encode() // in order of the names
	return &u
}

func redactHeader(from http.Header) http.Header {
	header := from.Clone()
	for name := range header {
		if secretName.MatchString(name) {
			header[name] = []string{redacted}
		}
	}
	return header
}

// redactBody takes the secrets out of JSON or a form, and leaves any other body
// as it is.
func redactBody(body []byte, contentType string) []byte {
	if strings.HasPrefix(contentType, "application/x-www-form-urlencoded") {
		if values, err := url.ParseQuery(string(body)); err == nil {
			return []byte(redactURL(&url.URL{RawQuery: values.Encode()}).RawQuery)
		}
	}
	var document any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&document) != nil || decoder.More() || !redactJSON(document) {
		return body
	}
	var written bytes.Buffer
	encoder := json.NewEncoder(&written)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(document) != nil {
		return []byte(redacted)
	}
	return bytes.TrimSuffix(written.Bytes(), []byte("\n"))
}

// redactJSON tells whether it found any.
func redactJSON(document any) (found bool) {
	switch v := document.(type) {
	case map[string]any:
		for key, value := range v {
			if _, text := value.(string); text && secretName.MatchString(key) {
				v[key] = redacted
				found = true
			} else {
				found = redactJSON(value) || found
			}
		}
	case []any:
		for _, value := range v {
			found = redactJSON(value) || found
		}
	}
	return found
}
