package plugin

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
)

// offer says what the instances of a plugin can do. It is known before there
// is one.
type offer struct {
	query, batch, chunks       bool
	health, resources          bool
	subscribe, publish, stream bool
}

// inspect looks for the capabilities that need not know the query's type.
func inspect(t reflect.Type, faults *error) offer {
	if t.Kind() == reflect.Interface {
		*faults = errors.Join(*faults, fmt.Errorf("open must return a concrete type, not the interface %s: what the plugin can do is read off the type", t))
		return offer{}
	}
	offers[io.Closer](t, faults)
	return offer{
		health:    offers[HealthChecker](t, faults),
		resources: offers[http.Handler](t, faults),
		subscribe: offers[Subscriber](t, faults),
		publish:   offers[Publisher](t, faults),
		stream:    offers[Streamer](t, faults),
	}
}

// offers tells whether t has the one method of interface C. Having its name
// only is a fault.
func offers[C any](t reflect.Type, faults *error) bool {
	capability := reflect.TypeFor[C]()
	if t.Kind() == reflect.Interface || t.Implements(capability) {
		return t.Kind() != reflect.Interface
	}
	want := capability.Method(0)
	if have, ok := t.MethodByName(want.Name); ok {
		*faults = errors.Join(*faults, fmt.Errorf("method %s of %s has the wrong signature:\n\thave %s\n\twant %s",
			want.Name, t, signature(have), want.Type))
	} else if reflect.PointerTo(t).Implements(capability) {
		*faults = errors.Join(*faults, fmt.Errorf("open returns %s, but method %s is that of *%s: return the pointer",
			t, want.Name, t))
	}
	return false
}

// signature is the type of a method as a func without its receiver.
func signature(m reflect.Method) string {
	in := make([]reflect.Type, 0, m.Type.NumIn())
	for i := 1; i < m.Type.NumIn(); i++ {
		in = append(in, m.Type.In(i))
	}
	out := make([]reflect.Type, 0, m.Type.NumOut())
	for i := range m.Type.NumOut() {
		out = append(out, m.Type.Out(i))
	}
	return reflect.FuncOf(in, out, m.Type.IsVariadic()).String()
}
