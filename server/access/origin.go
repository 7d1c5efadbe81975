package access

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// checkOrigin refuses what a page of another site asks for. Browsers say so in
// Origin, on everything but plain navigation; other clients do not send it.
func checkOrigin(r *http.Request) error {
	switch r.Method {
	case http.MethodHead, http.MethodOptions, http.MethodTrace:
		return nil
	}
	origin := r.Header.Get("Origin")
	if origin == "" || sameHost(origin, r.Host) {
		return nil
	}
	return fmt.Errorf("%w: a page of %q made this request to %q; behind a proxy, make it pass the Host header on", ErrOrigin, origin, r.Host)
}

// sameHost compares ports only where host has one: proxies often drop it.
func sameHost(origin, host string) bool {
	from, err := url.Parse(origin)
	if err != nil || from.Hostname() == "" {
		return false
	}
	to := url.URL{Host: host}
	if from.Hostname() != to.Hostname() {
		return false
	}
	return to.Port() == "" || to.Port() == port(from)
}

func port(u *url.URL) string {
	if u.Port() == "" && u.Scheme == "https" {
		return "443"
	}
	if u.Port() == "" {
		return "80"
	}
	return u.Port()
}

// localHost reports whether host is a name that no stranger can point here.
func localHost(host string) bool {
	name := (&url.URL{Host: host}).Hostname()
	return name == "localhost" || net.ParseIP(name) != nil
}
