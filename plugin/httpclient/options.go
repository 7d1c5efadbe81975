package httpclient

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/plugin"
)

// options are what the settings say.
type options struct {
	timeout               time.Duration
	dialTimeout           time.Duration
	keepAlive             time.Duration
	tlsHandshakeTimeout   time.Duration
	expectContinueTimeout time.Duration
	idleConnTimeout       time.Duration
	maxConnsPerHost       int
	maxIdleConns          int
	maxIdleConnsPerHost   int

	tls   *tls.Config
	socks *socks // nil: none

	user, password string
	header         http.Header // of every request

	passToken   bool
	passCookies []string

	responseLimit int64 // below 0: none

	warnings []string
}

const defaultResponseLimit = 256 << 20

// document is jsonData by key.
type document map[string]json.RawMessage

// readOptions reports everything that is wrong with the settings.
func readOptions(s plugin.DataSourceSettings) (*options, error) {
	var d document
	if len(bytes.TrimSpace(s.JSON)) > 0 {
		if err := json.Unmarshal(s.JSON, &d); err != nil {
			return nil, errors.New("jsonData is not a JSON object")
		}
	}
	r := &reader{document: d}
	o := &options{
		timeout:               r.seconds("timeout", 30*time.Second),
		dialTimeout:           r.seconds("dialTimeout", 10*time.Second),
		keepAlive:             r.seconds("httpKeepAlive", 30*time.Second),
		tlsHandshakeTimeout:   r.seconds("httpTLSHandshakeTimeout", 10*time.Second),
		expectContinueTimeout: r.seconds("httpExpectContinueTimeout", time.Second),
		idleConnTimeout:       r.seconds("httpIdleConnTimeout", 90*time.Second),
		maxConnsPerHost:       r.count("httpMaxConnsPerHost", 0),
		maxIdleConns:          r.count("httpMaxIdleConns", 100),
		maxIdleConnsPerHost:   r.count("httpMaxIdleConnsPerHost", 100),
		passToken:             r.bool("oauthPassThru"),
		responseLimit:         r.limit("responseLimit", defaultResponseLimit),
	}
	r.read("keepCookies", &o.passCookies, "a list of cookie names")
	o.user, o.password = r.login(s)
	o.header = r.headers(s.Secrets)
	o.tls = r.tls(s.Secrets)
	if r.bool("enableSecureSocksProxy") {
		o.socks = &socks{
			user:     cmp.Or(r.string("secureSocksProxyUsername"), s.UID),
			password: s.Secrets["secureSocksProxyPassword"],
		}
	}
	if r.bool("sigV4Auth") {
		r.fault("sigV4Auth", "is not supported: requests would not be signed")
	}
	o.warnings = r.warnings
	return o, errors.Join(r.faults...)
}

// reader takes values out of a document and collects what is wrong with them.
type reader struct {
	document
	faults   []error
	warnings []string
}

func (r *reader) warn(text string) { r.warnings = append(r.warnings, text) }

func (r *reader) fault(key, format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf("jsonData.%s: %s", key, fmt.Sprintf(format, args...)))
}

func (r *reader) secretFault(key, format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf("secureJsonData.%s: %s", key, fmt.Sprintf(format, args...)))
}

// read decodes a value, if there is one, and tells whether there was.
func (r *reader) read(key string, into any, want string) bool {
	raw, ok := r.document[key]
	if !ok || string(raw) == "null" {
		return false
	}
	if err := json.Unmarshal(raw, into); err != nil {
		r.fault(key, "want %s", want)
		return false
	}
	return true
}

func (r *reader) bool(key string) (b bool) {
	r.read(key, &b, "true or false")
	return b
}

func (r *reader) string(key string) (s string) {
	r.read(key, &s, "a string")
	return s
}

// number also takes a number in quotes, as some forms save it; an empty string
// is none.
func (r *reader) number(key string, otherwise float64, want string) float64 {
	raw := bytes.Trim(r.document[key], `"`)
	if len(raw) == 0 || string(raw) == "null" {
		return otherwise
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || math.IsNaN(n) {
		r.fault(key, "want %s", want)
		return otherwise
	}
	return n
}

func (r *reader) seconds(key string, otherwise time.Duration) time.Duration {
	const most = 365 * 24 * 3600
	want := "seconds, between 0 and " + strconv.Itoa(most)
	n := r.number(key, otherwise.Seconds(), want)
	if n < 0 || n > most {
		r.fault(key, "want %s", want)
		return otherwise
	}
	return time.Duration(n * float64(time.Second))
}

func (r *reader) count(key string, otherwise int) int {
	const want = "a whole number, 0 or more"
	n := r.number(key, float64(otherwise), want)
	if n < 0 || n > math.MaxInt32 || n != math.Trunc(n) {
		r.fault(key, "want %s", want)
		return otherwise
	}
	return int(n)
}

func (r *reader) limit(key string, otherwise int64) int64 {
	const want = "a number of bytes, or -1"
	n := r.number(key, float64(otherwise), want)
	if n > 1<<53 || n != math.Trunc(n) || n == 0 {
		r.fault(key, "want %s", want)
		return otherwise
	}
	return int64(n)
}

// login is the basic authentication: the data source's own fields first, then
// those in jsonData, then user and password.
func (r *reader) login(s plugin.DataSourceSettings) (user, password string) {
	// Read both, so that a fault in either is told.
	inJSON, userInJSON := r.bool("basicAuth"), r.string("basicAuthUser")
	switch {
	case s.BasicAuth || inJSON:
		return cmp.Or(s.BasicAuthUser, userInJSON), s.Secrets["basicAuthPassword"]
	case s.User != "":
		return s.User, s.Secrets["password"]
	}
	return "", ""
}

// headers are those of every request. A name without a value is left out, as
// Grafana's client does.
func (r *reader) headers(secrets plugin.Secrets) http.Header {
	header := http.Header{}
	for _, key := range slices.Sorted(maps.Keys(r.document)) {
		number, is := strings.CutPrefix(key, "httpHeaderName")
		value, has := secrets["httpHeaderValue"+number]
		if !is || !has {
			continue
		}
		switch name := r.string(key); {
		case name == "":
		case !isToken(name):
			r.fault(key, "%q is not the name of a header", name)
		case strings.ContainsFunc(value, isControl):
			r.secretFault("httpHeaderValue"+number, "has a character that no header may have, a line break perhaps")
		default:
			header.Add(name, value)
		}
	}
	return header
}

// isToken tells whether RFC 9110 lets a header have this name.
func isToken(name string) bool {
	return !strings.ContainsFunc(name, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

func isControl(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }
