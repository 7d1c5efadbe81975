package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plugboard/plugboard/server/datasource"
)

func TestApplySettings(t *testing.T) {
	var d datasource.DataSource
	err := applySettings(&d, []string{
		"url=http://localhost:9090/?a=b", "basicAuth=true", "jsonData.path=/tmp/x=y.db", "jsonData.limit=5",
		`jsonData.version="8.0"`, "jsonData.tls.skip=true", "jsonData.tls.name=x",
	})
	if err != nil {
		t.Fatal(err)
	}
	if d.URL != "http://localhost:9090/?a=b" || !d.BasicAuth {
		t.Errorf("%+v", d)
	}
	want := `{"limit":5,"path":"/tmp/x=y.db","tls":{"name":"x","skip":true},"version":"8.0"}`
	if string(d.JSON) != want {
		t.Errorf("jsonData %s, want %s", d.JSON, want)
	}
}

func TestApplySettingsFaults(t *testing.T) {
	for set, want := range map[string]string{
		"url":                           `--set is KEY=VALUE, not "url"`,
		"nosuch=1":                      `--set knows url,`,
		"basicAuth=perhaps":             "--set basicAuth is true or false",
		"jsonData.=1":                   "a key is empty",
		"jsonData.a=1,jsonData.a.b=2":   "a has a value of its own already",
		"jsonData.a.b=2,jsonData.a.b.c": "--set is KEY=VALUE",
	} {
		var d datasource.DataSource
		if err := applySettings(&d, strings.Split(set, ",")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", set, err, want)
		}
	}
}

// What is set already stays, to the last digit.
func TestApplySettingsChanges(t *testing.T) {
	d := datasource.DataSource{JSON: []byte(`{"id":9007199254740993,"tls":{"a":1,"b":2},"old":true}`)}
	if err := applySettings(&d, []string{"jsonData.tls.a=3", "jsonData.old=null", "jsonData.tls.b=\"null\""}); err != nil {
		t.Fatal(err)
	}
	if want := `{"id":9007199254740993,"tls":{"a":3,"b":"null"}}`; string(d.JSON) != want {
		t.Errorf("jsonData %s, want %s", d.JSON, want)
	}
}

func TestReadSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from a file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets, err := readSecrets([]string{"a=b=c", "f=@" + file, "i=@-", "gone="}, strings.NewReader("from stdin\n\n"))
	want := map[string]string{"a": "b=c", "f": "from a file", "i": "from stdin\n", "gone": ""}
	if err != nil || !maps.Equal(secrets, want) {
		t.Errorf("%q, %v", secrets, err)
	}
	for _, wrong := range []string{"hunter2", "=hunter2", "k=@/no/such/file"} {
		_, err := readSecrets([]string{wrong}, nil)
		if err == nil || !strings.Contains(err.Error(), "--secret") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error %v", wrong, err)
		}
	}
}
