package plugin

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"

	"github.com/prometheus/client_golang/prometheus"
)

// Settings are what an instance is opened with.
//
// Values decodes from three places. A field with the tag `secret:"key"` is the
// secret of that name, "" if there is none; it must be a string. Every other
// field comes from jsonData, as encoding/json decodes it. And a string that
// jsonData leaves empty, with the JSON key url, user, database, name, uid or
// basicAuthUser, is the data source's own URL, User and so on; likewise a bool
// with the key basicAuth.
//
// The rest of the call's Context is ContextFrom(ctx)'s to tell.
type Settings[S any] struct {
	Values S
	// DataSourceSettings are those of the data source. An app has only JSON,
	// Secrets, Updated and APIVersion.
	DataSourceSettings
	// Logger writes to the host's log.
	Logger *slog.Logger
	// Metrics belongs to this instance: what is registered here is among the
	// plugin's metrics, labelled with the data source's uid, until the
	// instance is replaced.
	Metrics prometheus.Registerer
}

func newSettings[S any](s seed) (Settings[S], error) {
	settings := Settings[S]{Logger: s.logger, Metrics: s.metrics}
	switch c := s.context; {
	case c.DataSource != nil:
		settings.DataSourceSettings = *c.DataSource
	case c.App != nil:
		settings.JSON, settings.Secrets = c.App.JSON, c.App.Secrets
		settings.Updated, settings.APIVersion = c.App.Updated, c.App.APIVersion
	}
	if err := decodeObject(settings.JSON, &settings.Values); err != nil {
		return settings, BadRequest("settings: %w", err)
	}
	fill(reflect.ValueOf(&settings.Values).Elem(), settings.DataSourceSettings, true)
	return settings, nil
}

// fill sets the fields of v that jsonData is not the source of. Only the
// outermost struct takes the data source's own fields.
func fill(v reflect.Value, s DataSourceSettings, outermost bool) {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		key, secret := field.Tag.Lookup("secret")
		switch {
		case secret && value.Kind() == reflect.String && value.CanSet():
			value.SetString(s.Secrets[key])
		case outermost && value.CanSet() && fillOwn(value, jsonKey(field), s):
		case field.IsExported() || field.Anonymous:
			fill(value, s, outermost && field.Anonymous)
		}
	}
}

// fillOwn sets a field that is one of the data source's own, if jsonData left
// it empty.
func fillOwn(value reflect.Value, key string, s DataSourceSettings) bool {
	own := map[string]string{
		"url": s.URL, "user": s.User, "database": s.Database,
		"name": s.Name, "uid": s.UID, "basicAuthUser": s.BasicAuthUser,
	}
	text, known := own[key]
	switch {
	case known && value.Kind() == reflect.String:
		if value.Len() == 0 {
			value.SetString(text)
		}
		return true
	case key == "basicAuth" && value.Kind() == reflect.Bool:
		value.SetBool(value.Bool() || s.BasicAuth)
		return true
	}
	return false
}

// secretFields finds fields that could never take the secret they ask for.
func secretFields(t reflect.Type) error {
	return visitSecrets(t, false, map[reflect.Type]bool{})
}

// visitSecrets knows whether t is the element of a list or map, of which there
// may be many.
func visitSecrets(t reflect.Type, many bool, seen map[reflect.Type]bool) error {
	switch t.Kind() {
	case reflect.Pointer:
		return visitSecrets(t.Elem(), many, seen)
	case reflect.Slice, reflect.Array, reflect.Map:
		return visitSecrets(t.Elem(), true, seen)
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return nil
	}
	seen[t] = true
	for i := range t.NumField() {
		field := t.Field(i)
		_, secret := field.Tag.Lookup("secret")
		switch {
		case secret && (field.Type.Kind() != reflect.String || !field.IsExported()):
			return fmt.Errorf("field %s of %s takes a secret: it must be an exported string", field.Name, t)
		case secret && many:
			return fmt.Errorf("field %s of %s takes a secret: it must not be in a list or map", field.Name, t)
		}
		if err := visitSecrets(field.Type, many, seen); err != nil {
			return err
		}
	}
	return nil
}

// Secrets are secrets in clear by name. Printing, logging or marshalling them
// shows their names only.
type Secrets map[string]string

const hidden = "hidden"

func (s Secrets) masked() map[string]string {
	masked := make(map[string]string, len(s))
	for name := range s {
		masked[name] = hidden
	}
	return masked
}

// Format prints the names.
func (s Secrets) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.masked()) }

// MarshalJSON writes the names.
func (s Secrets) MarshalJSON() ([]byte, error) { return json.Marshal(s.masked()) }
