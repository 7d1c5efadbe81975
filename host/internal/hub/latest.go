package hub

import (
	"bytes"
	"encoding/json"
	"slices"
)

// latest is what somebody who joins a stream of frames has missed: the schema
// that is not sent again, and the frame sent last. Packets that are no frames,
// as the official SDKs and ours write them, leave it as it is.
type latest struct {
	schema []byte // the value of "schema"
	packet []byte // the last frame, with its schema or without
}

const (
	schemaKey = `{"schema":`
	dataKey   = `{"data":`
)

// note remembers a packet, whose bytes do not change any more.
func (l *latest) note(packet []byte) {
	if rest, ok := bytes.CutPrefix(packet, []byte(schemaKey)); ok {
		if n := objectLength(rest); n > 0 {
			l.schema, l.packet = rest[:n], packet
		}
	} else if l.schema != nil && bytes.HasPrefix(packet, []byte(dataKey)) {
		l.packet = packet
	}
}

// whole is the frame sent last with its schema; nil if there is none.
func (l *latest) whole() []byte {
	whole := l.packet
	if bytes.HasPrefix(whole, []byte(dataKey)) {
		whole = slices.Concat([]byte(schemaKey), l.schema, []byte(","), l.packet[1:])
	}
	if !json.Valid(whole) {
		return nil
	}
	return whole
}

// introduce gives a listener what it needs to read what comes next. The
// plugin's own first packet comes before ours. It may be from before a change
// of the schema, or of another shape altogether; then, if the schema is not
// sent with every frame, ours follows.
func (l *latest) introduce(listener *Listener) {
	switch whole := l.whole(); {
	case whole == nil:
	case len(listener.initial) == 0:
		listener.initial = whole
	case bytes.HasPrefix(l.packet, []byte(dataKey)) && !l.fits(listener.initial):
		listener.push(whole)
	}
}

// fits reports whether a packet has the schema of the packets to come.
func (l *latest) fits(packet []byte) bool {
	rest, ok := bytes.CutPrefix(packet, []byte(schemaKey))
	return ok && bytes.HasPrefix(rest, l.schema)
}

// objectLength is the length of the JSON object that b begins with; 0 if there
// is no whole one. It looks at braces and strings only.
func objectLength(b []byte) int {
	if !bytes.HasPrefix(b, []byte("{")) {
		return 0
	}
	depth, text := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{':
			depth++
		case c == '}':
			depth--
		}
		if depth == 0 {
			return i + 1
		}
	}
	return 0
}
