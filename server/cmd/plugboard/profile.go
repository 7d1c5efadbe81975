package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/plugboard/plugboard/server/access"
)

// profile is a server that somebody has written down.
type profile struct {
	Server, User, Password, Token string
}

// profiles is the file of them.
type profiles struct {
	path string
	// standard is the name of the profile that counts when none is named.
	standard string
	byName   map[string]profile
}

// signs tells whether the profile has credentials for a server: it must be its
// own.
func (p profile) signs(a *api) bool {
	return strings.TrimRight(p.Server, "/") == a.base && (p.Token != "" || p.Password != "")
}

// sign makes requests those of the profile's user.
func (p profile) sign(a *api) {
	if p.Token != "" {
		a.token = p.Token
		return
	}
	a.user, a.password = p.login(), p.Password
}

// login is the user of the profile's password.
func (p profile) login() string { return cmp.Or(p.User, access.AdminLogin) }

// passwordFor returns the password of a user that a flag names, if the profile
// has it.
func (p profile) passwordFor(a *api, user string) string {
	if p.signs(a) && user == p.login() {
		return p.Password
	}
	return ""
}

// readProfile returns the profile that flag or environment name, else the
// file's default, else none.
func (s *serverFlags) readProfile() (profile, error) {
	name := cmp.Or(s.profile, os.Getenv("PLUGBOARD_PROFILE"))
	file, err := readProfiles()
	if errors.Is(err, fs.ErrNotExist) && name == "" {
		return profile{}, nil
	}
	if err != nil {
		return profile{}, misused("profiles: %w", err)
	}
	if name = cmp.Or(name, file.standard); name == "" {
		return profile{}, nil
	}
	p, ok := file.byName[name]
	if !ok {
		return p, misused("%s has no profile %q, only %s", file.path, name, cmp.Or(strings.Join(file.names(), ", "), "none at all"))
	}
	return p, nil
}

func (f profiles) names() []string { return slices.Sorted(maps.Keys(f.byName)) }

// readProfiles reads the user's profiles.yaml. It holds passwords and tokens,
// so nobody else may be able to read it.
func readProfiles() (profiles, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return profiles{}, fs.ErrNotExist // no home, no profiles
	}
	path := filepath.Join(dir, "plugboard", "profiles.yaml")
	info, err := os.Stat(path)
	if err != nil {
		return profiles{}, err
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return profiles{}, fmt.Errorf("%s may be read or written by others (mode %04o), and it is for passwords: chmod 600 %[1]s", path, mode)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return profiles{}, err
	}
	return parseProfiles(path, text)
}

// parseProfiles reads the file by hand: the decoder's own errors repeat the
// values, which are secrets.
func parseProfiles(path string, text []byte) (profiles, error) {
	file := profiles{path: path, byName: map[string]profile{}}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return file, fmt.Errorf("%s%s is not YAML", path, lineOf(err))
	}
	if root.Kind == 0 {
		return file, nil // empty
	}
	err := eachKey(path, root.Content[0], func(key string, value *yaml.Node) error {
		switch key {
		case "default":
			return scalar(path, key, value, &file.standard)
		case "profiles":
			return eachKey(path, value, func(name string, value *yaml.Node) error {
				var p profile
				fields := map[string]*string{"server": &p.Server, "user": &p.User, "password": &p.Password, "token": &p.Token}
				defer func() { file.byName[name] = p }()
				return eachKey(path, value, func(key string, value *yaml.Node) error {
					field, ok := fields[key]
					if !ok {
						return fmt.Errorf("%s:%d: a profile has server, user, password and token, not %q", path, value.Line, key)
					}
					return scalar(path, key, value, field)
				})
			})
		}
		return fmt.Errorf("%s:%d: the file has default and profiles, not %q", path, value.Line, key)
	})
	return file, err
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

func lineOf(err error) string {
	if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
		return ":" + found[1] + ":"
	}
	return ""
}

func eachKey(path string, n *yaml.Node, visit func(key string, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: want a mapping, KEY: VALUE", path, n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if err := visit(n.Content[i].Value, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func scalar(path, key string, n *yaml.Node, into *string) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("%s:%d: %s is a text", path, n.Line, key)
	}
	*into = n.Value
	return nil
}

func completeProfiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	file, err := readProfiles()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return file.names(), cobra.ShellCompDirectiveNoFileComp
}
