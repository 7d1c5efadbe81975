package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sampleProfiles = `default: local
profiles:
  local:
    server: http://127.0.0.1:3030/
    password: local-password
  prod:
    server: https://prod
    token: prod-token
`

// TestServerFlags says who asks which server. A profile's credentials go to its
// own server only.
func TestServerFlags(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	t.Setenv("HOME", dir)
	writeProfiles(t, sampleProfiles, 0o600)
	for name, test := range map[string]struct {
		flags serverFlags
		env   string // NAME=value NAME=value
		want  string // server user password token
	}{
		"the file's default":          {want: "http://127.0.0.1:3030 admin local-password "},
		"a profile by flag":           {flags: serverFlags{profile: "prod"}, want: "https://prod   prod-token"},
		"a profile by environment":    {env: "PLUGBOARD_PROFILE=prod", want: "https://prod   prod-token"},
		"a flag before all":           {flags: serverFlags{server: "http://other", token: "t"}, env: "PLUGBOARD_SERVER=http://env PLUGBOARD_TOKEN=e", want: "http://other   t"},
		"environment before default":  {env: "PLUGBOARD_SERVER=http://env PLUGBOARD_TOKEN=e", want: "http://env   e"},
		"profile flag before it":      {flags: serverFlags{profile: "prod"}, env: "PLUGBOARD_SERVER=http://env PLUGBOARD_TOKEN=e", want: "https://prod   prod-token"},
		"not to another server":       {flags: serverFlags{server: "http://other"}, want: "http://other   "},
		"not to another by profile":   {flags: serverFlags{server: "http://other", profile: "prod"}, want: "http://other   "},
		"not to one by environment":   {env: "PLUGBOARD_SERVER=http://env", want: "http://env   "},
		"user and password":           {env: "PLUGBOARD_USER=u PLUGBOARD_PASSWORD=p", want: "http://127.0.0.1:3030 u p "},
		"a user whose password it is": {flags: serverFlags{user: "admin"}, want: "http://127.0.0.1:3030 admin local-password "},
		"a user whose it is not":      {flags: serverFlags{user: "eve"}, want: "http://127.0.0.1:3030   "},
	} {
		t.Run(name, func(t *testing.T) {
			for _, key := range []string{"SERVER", "USER", "PASSWORD", "TOKEN", "PROFILE"} {
				t.Setenv("PLUGBOARD_"+key, "")
			}
			for _, assignment := range strings.Fields(test.env) {
				key, value, _ := strings.Cut(assignment, "=")
				t.Setenv(key, value)
			}
			a, err := test.flags.api()
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join([]string{a.base, a.user, a.password, a.token}, " "); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func writeProfiles(t *testing.T, text string, mode os.FileMode) {
	t.Helper()
	dir, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "plugboard", "profiles.yaml")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// Faults name the place, and never a value.
func TestProfileFaults(t *testing.T) {
	for text, want := range map[string]string{
		"profiles:\n  a: hunter2":                          "f:2: want a mapping",
		"profiles:\n  a:\n    pasword: hunter2":            `f:3: a profile has server, user, password and token, not "pasword"`,
		"profiles:\n  a:\n    password: [hunter2]":         "f:3: password is a text",
		"profiles:\n  a:\n    password: *hunter2":          "f",
		"profiles:\n  a:\n    password: 'hunter2\n   b: c": "f",
		"defualt: a":  `f:1: the file has default and profiles, not "defualt"`,
		"- hunter2":   "f:1: want a mapping",
		"default: {}": "f:1: default is a text",
	} {
		_, err := parseProfiles("f", []byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if file, err := parseProfiles("f", nil); err != nil || len(file.names()) != 0 {
		t.Errorf("an empty file: %v", err)
	}
}

func FuzzProfiles(f *testing.F) {
	f.Add([]byte(sampleProfiles))
	f.Add([]byte("profiles: {a: {password: &x [*x]}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := parseProfiles("f", text); err != nil && !strings.HasPrefix(err.Error(), "f") {
			t.Error(err)
		}
	})
}
