package trust

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// matchURL compares the URL of a server with one that a signature is good for:
// scheme, host and cleaned path. With glob, "*" stands for anything within a
// part of the name, "**" for anything.
func matchURL(signed, server string, glob bool) bool {
	have, err := url.Parse(server)
	if err != nil || server == "" {
		return false
	}
	if want, err := url.Parse(signed); err == nil && want.Scheme == have.Scheme && want.Host == have.Host &&
		path.Clean("/"+want.Path) == path.Clean("/"+have.Path) {
		return true
	}
	return glob && globOf(signed).MatchString(strings.TrimSuffix(server, "/"))
}

// globOf translates a pattern whose parts are separated by "/" and ".".
func globOf(pattern string) *regexp.Regexp {
	text := regexp.QuoteMeta(strings.TrimSuffix(pattern, "/"))
	text = strings.ReplaceAll(text, `\*\*`, `.*`)
	text = strings.ReplaceAll(text, `\*`, `[^/.]*`)
	return regexp.MustCompile("^" + text + "$")
}
