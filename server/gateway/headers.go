package gateway

import (
	"encoding/json"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/server/access"
)

// tracingHeaders tell a plugin what a call is part of; they travel with
// queries, health checks and streams.
var tracingHeaders = []string{
	"X-Dashboard-Title", "X-Dashboard-Uid", "X-Datasource-Uid", "X-Grafana-From-Expr", "X-Grafana-Org-Id",
	"X-Panel-Id", "X-Panel-Plugin-Id", "X-Panel-Title", "X-Query-Group-Id",
}

// hostOnlyHeaders say who asks. They come from this server or nobody: what a
// client sends is its login here, or made up.
var hostOnlyHeaders = []string{
	"Authorization", "X-Grafana-Device-Id", "X-Grafana-Id", "X-Grafana-Internal-Request", "X-Grafana-User", "X-Id-Token",
}

// hopHeaders end at this server, with those that Connection lists.
var hopHeaders = []string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
}

// callHeaders returns what of a request's headers travels with a query, health
// check or stream, under the wire's keys.
func callHeaders(r *http.Request, t target) map[string]string {
	headers := map[string]string{}
	for _, name := range tracingHeaders {
		if value := r.Header.Get(name); value != "" {
			plugin.SetHeader(headers, name, value)
		}
	}
	if r.Header.Get("FromAlert") == "true" { // plugins fail on any other word
		headers["FromAlert"] = "true"
	}
	if cookies := keptCookies(r, t); cookies != "" {
		headers["Cookie"] = cookies
	}
	return headers
}

// keptCookies returns the cookies that a data source asks for by name in
// jsonData.keepCookies; never the login's.
func keptCookies(r *http.Request, t target) string {
	if t.DataSource == nil || r.Header.Get("Cookie") == "" {
		return ""
	}
	var wanted struct {
		KeepCookies []string `json:"keepCookies"`
	}
	_ = json.Unmarshal(t.DataSource.JSON, &wanted) // no list, no cookies
	var kept []string
	for _, cookie := range r.Cookies() {
		if slices.Contains(wanted.KeepCookies, cookie.Name) && cookie.Name != access.CookieName {
			kept = append(kept, cookie.Name+"="+cookie.Value)
		}
	}
	return strings.Join(kept, "; ")
}

// resourceHeader returns the headers of a resource request as the plugin gets
// them: all that the client sent for it.
func resourceHeader(r *http.Request, t target) http.Header {
	header := r.Header.Clone()
	removeHopHeaders(header)
	for _, name := range hostOnlyHeaders {
		header.Del(name)
	}
	for _, name := range []string{"Cookie", "Origin", "Referer", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto"} {
		header.Del(name)
	}
	header.Set("X-Grafana-Referer", r.Referer())
	if cookies := keptCookies(r, t); cookies != "" {
		header.Set("Cookie", cookies)
	}
	if client, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		header.Set("X-Forwarded-For", strings.Join(append(r.Header.Values("X-Forwarded-For"), client), ", "))
	}
	return header
}

// removeHopHeaders removes what is not for the far end, and what no plugin may
// set or see: User-Agent and Set-Cookie.
func removeHopHeaders(header http.Header) {
	for _, list := range header.Values("Connection") {
		for name := range strings.SplitSeq(list, ",") {
			header.Del(textproto.TrimString(name))
		}
	}
	for _, name := range hopHeaders {
		header.Del(name)
	}
	header.Del("User-Agent")
	header.Del("Set-Cookie")
}
