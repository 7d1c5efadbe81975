package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/plugboard/plugboard/plugin/internal/schema"
)

type kept struct {
	URL      string `json:"url"`
	Database string `json:"database"`
	Auth     bool   `json:"basicAuth"`
	Password string `secret:"password"`
	Nested   struct {
		Port  int    `json:"port"`
		URL   string `json:"url"`
		Token string `secret:"token" json:"token"`
	} `json:"nested"`
	More *more `json:"more"`
	shared
	Any any `json:"any"`
}

type more struct {
	Cert string `secret:"cert"`
	Next *more  `json:"next"`
}

type shared struct {
	User string `json:"user"`
}

func decode[S any](s DataSourceSettings) (S, error) {
	t, err := schema.Of(reflect.TypeFor[S](), settingsOptions(nounDataSource))
	if err != nil {
		panic(err)
	}
	settings, err := newSettings[S](t, seed{context: Context{DataSource: &s}})
	return settings.Values, err
}

func TestSettingsComeFromThreePlaces(t *testing.T) {
	got, err := decode[kept](DataSourceSettings{
		URL: "http://top", User: "ada", Database: "top", BasicAuth: true,
		JSON: []byte(`{"database":"own","Password":"from json","password":"too",
			"nested":{"port":7,"token":"from json"},"more":{"next":{}},"any":[1]}`),
		Secrets: Secrets{"password": "p", "token": "t", "cert": "c"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := kept{URL: "http://top", Database: "own", Auth: true, Password: "p", More: &more{Cert: "c", Next: &more{Cert: "c"}}, Any: []any{1.0}}
	want.User, want.Nested.Port, want.Nested.Token = "ada", 7, "t"
	if a, b := describe(got), describe(want); a != b {
		t.Errorf("got  %s\nwant %s", a, b)
	}
}

func describe(v any) string {
	s, _ := json.Marshal(v)
	return string(s)
}

func TestAbsentSecretIsEmpty(t *testing.T) {
	got, err := decode[kept](DataSourceSettings{JSON: []byte(`{"password":"public","nested":{"token":"public"}}`)})
	if err != nil || got.Password != "" || got.Nested.Token != "" {
		t.Errorf("a secret was read from jsonData: %+v, %v", got, err)
	}
}

func TestWrongSettingsNameTheirPath(t *testing.T) {
	for object, want := range map[string]string{
		`{"nested":{"port":"seven"}}`: "settings: nested.port: want a whole number (int), have string",
		`{"nested":{"port":7.5}}`:     "settings: nested.port: want a whole number (int), have number 7.5",
		`{"url":["http://one"]}`:      "settings: url: want a string, have array",
		`{"basicAuth":"yes"}`:         "settings: basicAuth: want true or false, have string",
		`{"more":[]}`:                 "settings: more: want an object, have array",
		`[]`:                          "settings: want an object, have array",
		`{`:                           "settings: unexpected end of JSON input",
	} {
		_, err := decode[kept](DataSourceSettings{JSON: []byte(object)})
		if err == nil || err.Error() != want || failureOf(err).Status != 400 {
			t.Errorf("%s: got %v, want %s", object, err, want)
		}
	}
}

func TestSettingsNeedNotBeAStruct(t *testing.T) {
	s := DataSourceSettings{URL: "http://top", JSON: []byte(`{"a":1}`)}
	if got, err := decode[map[string]any](s); err != nil || fmt.Sprint(got) != "map[a:1]" {
		t.Errorf("map: %v, %v", got, err)
	}
	if got, err := decode[json.RawMessage](s); err != nil || string(got) != `{"a":1}` {
		t.Errorf("raw: %s, %v", got, err)
	}
	if got, err := decode[*kept](s); err != nil || got.URL != "http://top" {
		t.Errorf("pointer: %v, %v", got, err)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	s := Settings[struct{}]{DataSourceSettings: DataSourceSettings{Secrets: Secrets{"password": "sesame"}}}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("opened", "settings", s.DataSourceSettings, "secrets", s.Secrets)
	for _, printed := range []string{
		fmt.Sprint(s), fmt.Sprintf("%+v %#v %s %q", s, s, s.Secrets, s.Secrets), describe(s.DataSourceSettings), log.String(),
	} {
		if strings.Contains(printed, "sesame") || !strings.Contains(printed, "password") {
			t.Error(printed)
		}
	}
}

func TestSameSettings(t *testing.T) {
	base := func() Context {
		return Context{DataSource: &DataSourceSettings{ID: 1, JSON: []byte(`{}`), Secrets: Secrets{"k": "v"}, Updated: time.UnixMilli(5)}}
	}
	if !sameSettings(base(), base()) {
		t.Error("equal settings differ")
	}
	for name, change := range map[string]func(*DataSourceSettings){
		"secret":   func(s *DataSourceSettings) { s.Secrets["k"] = "w" },
		"updated":  func(s *DataSourceSettings) { s.Updated = time.UnixMilli(6) },
		"json":     func(s *DataSourceSettings) { s.JSON = []byte(`{"a":1}`) },
		"url":      func(s *DataSourceSettings) { s.URL = "x" },
		"user":     func(s *DataSourceSettings) { s.User = "x" },
		"database": func(s *DataSourceSettings) { s.Database = "x" },
		"name":     func(s *DataSourceSettings) { s.Name = "x" },
		"auth":     func(s *DataSourceSettings) { s.BasicAuth = true },
		"authUser": func(s *DataSourceSettings) { s.BasicAuthUser = "x" },
	} {
		changed := base()
		change(changed.DataSource)
		if sameSettings(base(), changed) {
			t.Errorf("a change of %s is not noticed", name)
		}
	}
	moved := base()
	moved.GrafanaConfig = map[string]string{"GF_INSTANCE_FEATURE_TOGGLES_ENABLE": "a,b"}
	if !sameSettings(base(), moved) {
		t.Error("a toggle of the host's would close every pool")
	}
	if sameSettings(base(), Context{}) || !sameSettings(Context{App: &AppSettings{}}, Context{App: &AppSettings{}}) {
		t.Error("absent settings")
	}
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte(`{"nested":{"port":1},"more":{"next":{}}}`), "p")
	f.Add([]byte(`{"url":3}`), "")
	f.Add([]byte(`null`), "p")
	queries, err := schema.Of(reflect.TypeFor[kept](), schema.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, object []byte, secret string) {
		got, err := decode[kept](DataSourceSettings{JSON: object, Secrets: Secrets{"password": secret}})
		if err == nil && got.Password != secret {
			t.Errorf("secret %q became %q", secret, got.Password)
		}
		if _, err := decode[*kept](DataSourceSettings{JSON: object}); err != nil && failureOf(err).Status != 400 {
			t.Error(err)
		}
		if _, err := decodeQuery[kept](queries, DataQuery{JSON: object}); err != nil && failureOf(err).Source != SourceDownstream {
			t.Error(err)
		}
	})
}
