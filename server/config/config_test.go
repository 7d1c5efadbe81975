package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func Example() {
	file := "plugboard.yaml" // as --config names it; "" for the default
	env := []string{"PLUGBOARD_LOG_LEVEL=debug"}
	flags := map[string][]string{"listen": {":8080"}, "plugins": {"./dist"}}

	dir, err := os.MkdirTemp("", "plugboard")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir) // temporary
	file = filepath.Join(dir, file)

	c, err := Load(writeExample(file, "log-level: error\nallow-unsigned: ['*']\n"), env, flags)
	fmt.Println(c.Listen, c.PluginDirs, c.AllowUnsigned, c.LogLevel, err)

	_, err = Load(writeExample(file, "listen: here\ncolour: blue\n"), nil, nil)
	var faults Faults
	fmt.Println(errors.As(err, &faults), len(faults), faults[0].Line, faults[0].Field)
	// Output:
	// :8080 [./dist] [*] DEBUG <nil>
	// true 2 2 colour
}

func writeExample(path, text string) string {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		panic(err)
	}
	return path
}

func TestZeroConfigIsValid(t *testing.T) {
	if err := (Config{}).WithDefaults().Validate(); err != nil {
		t.Error(err)
	}
	err := Config{Listen: "x", AllowUnsigned: []string{""}}.Validate()
	want := "listen: is \"x\", want host:port or :port\nallow-unsigned: has \"\", want the id of a plugin"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestFileThatIsNamedMustExist(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	for what, err := range map[string]error{
		"flag":        second(Load(missing, nil, nil)),
		"environment": second(Load("", []string{"PLUGBOARD_CONFIG=" + missing}, nil)),
	} {
		if err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second(_ Config, err error) error { return err }

func TestDefaultFileIsRead(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(DefaultFile, []byte("listen: :1\ndata: d\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load("", nil, nil)
	if err != nil || c.Listen != ":1" || c.Data != "d" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	c := Config{
		AdminPassword:  "hunter2",
		SecretKey:      "hunter2",
		PluginSettings: PluginSettings{"acme-app": {"token": "hunter2"}},
	}
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("start", "config", c, "password", c.AdminPassword, "settings", c.PluginSettings)
	for _, shown := range []string{
		fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%s %q %x", c.SecretKey, c.SecretKey, c.SecretKey),
		fmt.Sprint(&c), string(asJSON), logged.String(),
	} {
		if strings.Contains(shown, "hunter2") || strings.Contains(shown, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("shows a secret: %s", shown)
		}
		if !strings.Contains(shown, hidden) && !strings.Contains(shown, fmt.Sprintf("%x", hidden)) {
			t.Errorf("does not show that there is one: %s", shown)
		}
	}
	if string(c.AdminPassword) != "hunter2" || c.PluginSettings["acme-app"]["token"] != "hunter2" {
		t.Error("the secrets are gone")
	}
}

// The flags are what `serve --help` shows: secrets are not among them.
func TestFlags(t *testing.T) {
	var lines []string
	for _, f := range Flags() {
		if f.Usage == "" {
			t.Errorf("--%s says nothing", f.Name)
		}
		lines = append(lines, fmt.Sprintf("%s %v", f.Name, f.List))
	}
	want := "listen false\ndata false\nplugins true\ndev true\nprovisioning false\nallow-unsigned true\nroot-url false\nchunked true\nstart-timeout false\nquery-timeout false\nanswer-bytes false\nanswer-rows false\nplugin-calls false\nsource-calls false\ncrashes false\nsecret-key-file false\ncgroup false\nlog-level false\notlp-address false\ntrace-ratio false"
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got %s", got)
	}
}

func TestLimits(t *testing.T) {
	for text, want := range map[string]string{
		"query-timeout=90s": "", "query-timeout=unlimited": "", "query-timeout=soon": `is "soon", want a time such as 90s or 5m, or unlimited`,
		"answer-bytes=64MiB": "", "answer-bytes=1000": "", "answer-bytes=1.5 GB": `is "1.5 GB", want a size such as 64MiB, or unlimited`,
		"answer-bytes=99999999999GiB": `is "99999999999GiB", want a size such as 64MiB, or unlimited`,
		"answer-rows=5":               "", "answer-rows=0": `is "0", want a number above 0, or unlimited`,
		"crashes=3/5m": "", "crashes=unlimited": "", "crashes=3": `is "3", want a number and a time such as 3/5m, or unlimited`,
		"start-timeout=-1s": `is "-1s", want a time such as 90s or 5m`,
	} {
		name, value, _ := strings.Cut(text, "=")
		for _, s := range settings {
			if s.name == name {
				if got := s.set(&Config{}, []string{value}); got != want {
					t.Errorf("%s: %q, want %q", text, got, want)
				}
			}
		}
	}
	var c Config
	setSize(&c.Limits.Bytes, "64MiB")
	setCrashes(&c, []string{"4/90s"})
	if c.Limits.Bytes != 64<<20 || c.Crashes != 4 || c.CrashWindow != 90*time.Second {
		t.Errorf("%+v", c)
	}
}
