package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plugboard/plugboard/plugin/internal/schema"
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
// Tags say what a value may be, and what people see in the forms that are
// drawn for it:
//
//	title, description  what to call it, and what it is for
//	plugboard:"required"  it cannot be left out, or empty
//	enum:"GET,POST"     the values there are
//	default:"GET"       the value it has when left out, or an empty string
//	min:"1" max:"100"   bounds of a number
//	pattern:"^[a-z]+$"  a regular expression that a string matches
//	examples:"up"       examples, one a line
//	format:"multiline"  how to show it; any word of JSON Schema's
//	options:"tables"    the resource that lists the values there are: strings,
//	                    or objects with a value and a label. {key} in it is
//	                    the value of another field.
//	language:"sql"      the language of a text: sql, promql or json. options
//	                    lists its words then, and {before} is what stands
//	                    before the word that is being written.
//	group:"TLS"         what it stands under, folded away until it has a value
//
// Those of a list are of its elements. A time.Duration is written "1m30s". JSON
// null, and "" where there is an enum, is to leave a value out. What else is
// wrong is answered with the path of the field, and open is not called.
//
// Keys that no field has are ignored, since older versions and other programs
// leave theirs. One that looks like a mistyped field is logged. A struct that
// has a field _ with the tag plugboard:"strict" refuses them.
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

func newSettings[S any](t *schema.Type, s seed) (Settings[S], error) {
	settings := Settings[S]{Logger: s.logger, Metrics: s.metrics}
	switch c := s.context; {
	case c.DataSource != nil:
		settings.DataSourceSettings = *c.DataSource
	case c.App != nil:
		settings.JSON, settings.Secrets = c.App.JSON, c.App.Secrets
		settings.Updated, settings.APIVersion = c.App.Updated, c.App.APIVersion
	}
	if err := t.Decode(settings.JSON, &settings.Values); err != nil {
		return settings, BadRequest("settings: %w", err)
	}
	fill(reflect.ValueOf(&settings.Values).Elem(), settings.DataSourceSettings, true)
	faults := []error{t.Complete(&settings.Values)}
	for _, secret := range t.Secrets {
		if secret.Required && settings.Secrets[secret.Key] == "" {
			faults = append(faults, fmt.Errorf("the secret %s is missing", secret.Key))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return settings, BadRequest("settings: %w", err)
	}
	if s.logger != nil {
		for key, known := range t.Suspects(settings.JSON) {
			s.logger.Warn("a setting may be mistyped: the plugin knows no such, and one nearly so", "setting", key, "known", known)
		}
	}
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

// jsonKey returns the key that encoding/json knows a field by, empty if it
// ignores the field.
func jsonKey(field reflect.StructField) string {
	tag := field.Tag.Get("json")
	if tag == "-" {
		return ""
	}
	if name, _, _ := strings.Cut(tag, ","); name != "" {
		return name
	}
	return field.Name
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
