package main

import (
	"strings"
	"testing"

	"github.com/plugboard/plugboard/server/datasource"
)

func TestApplySettings(t *testing.T) {
	var d datasource.DataSource
	err := applySettings(&d, []string{
		"url=http://localhost:9090/?a=b", "basicAuth=true", "jsonData.path=/tmp/x=y.db", "jsonData.limit=5",
		`jsonData.version="8.0"`, "jsonData.tls.skip=true", "jsonData.tls.name=x",
	}, []string{"apiKey=a=b"})
	if err != nil {
		t.Fatal(err)
	}
	if d.URL != "http://localhost:9090/?a=b" || !d.BasicAuth || d.Secrets["apiKey"] != "a=b" {
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
		if err := applySettings(&d, strings.Split(set, ","), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", set, err, want)
		}
	}
	var d datasource.DataSource
	if err := applySettings(&d, nil, []string{"hunter2"}); err == nil || !strings.Contains(err.Error(), "KEY=VALUE") {
		t.Errorf("error %v", err)
	}
}
