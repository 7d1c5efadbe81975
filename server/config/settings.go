package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// setting is one thing to be told. It has one name in three places: listen in
// the file, PLUGBOARD_LISTEN in the environment, --listen as a flag.
type setting struct {
	name, usage string
	// list settings take many values.
	list bool
	// noFlag: secrets do not belong into a process list.
	noFlag bool
	// set takes one value unless it is a list setting; the problem it returns
	// is "" if there is none.
	set func(c *Config, values []string) (problem string)
	// check says what is wrong with the final value, "" if nothing is.
	check func(c Config) (problem string)
}

var settings = []setting{
	{
		name:  "listen",
		usage: "`address` to serve HTTP on (default " + DefaultListen + ")",
		set:   func(c *Config, v []string) string { c.Listen = v[0]; return "" },
		check: func(c Config) string { return checkAddress(c.Listen) },
	},
	{
		name:  "data",
		usage: "`folder` for everything that is kept (default ./" + DefaultData + ")",
		set:   func(c *Config, v []string) string { c.Data = v[0]; return "" },
	},
	{
		name:  "plugins",
		usage: "`folder` to search for plugins; may be repeated",
		list:  true,
		set:   func(c *Config, v []string) string { c.PluginDirs = v; return "" },
	},
	{
		name:  "dev",
		usage: "`folder` with plugins that you work at: run without a signature, and reloaded when they have changed; may be repeated",
		list:  true,
		set:   func(c *Config, v []string) string { c.Dev = v; return "" },
	},
	{
		name:  "provisioning",
		usage: "`folder` with Grafana's provisioning files (datasources/*.yaml, plugins/*.yaml)",
		set:   func(c *Config, v []string) string { c.Provisioning = v[0]; return "" },
	},
	{
		name:  "allow-unsigned",
		usage: "`id` of a plugin that may run without a signature, '*' for all; may be repeated",
		list:  true,
		set:   func(c *Config, v []string) string { c.AllowUnsigned = v; return "" },
		check: func(c Config) string { return checkIDs(c.AllowUnsigned, "*") },
	},
	{
		name:  "root-url",
		usage: "`URL` where people reach the server, for plugins that are signed for some servers only",
		set:   func(c *Config, v []string) string { c.RootURL = v[0]; return "" },
		check: func(c Config) string { return checkURL(c.RootURL) },
	},
	{
		name:  "chunked",
		usage: "`id` of a plugin to ask for results in chunks though it does not say it can; may be repeated",
		list:  true,
		set:   func(c *Config, v []string) string { c.ChunkedPlugins = v; return "" },
		check: func(c Config) string { return checkIDs(c.ChunkedPlugins) },
	},
	{
		name:  "start-timeout",
		usage: "`time` that a plugin may take to start (default 1m)",
		set:   func(c *Config, v []string) string { return setDuration(&c.StartTimeout, v[0]) },
	},
	{
		name:  "query-timeout",
		usage: "`time` that a plugin may take to answer queries or a health check, or unlimited (default 5m)",
		set:   func(c *Config, v []string) string { return orUnlimited(v[0], &c.Limits.Time, setDuration) },
	},
	{
		name:  "answer-bytes",
		usage: "`size` that a plugin's answer to queries may have, such as 64MiB, or unlimited (default 256MiB)",
		set:   func(c *Config, v []string) string { return orUnlimited(v[0], &c.Limits.Bytes, setSize) },
	},
	{
		name:  "answer-rows",
		usage: "`number` of rows that the answer to one query may have, or unlimited (default unlimited)",
		set:   func(c *Config, v []string) string { return orUnlimited(v[0], &c.Limits.Rows, setNumber) },
	},
	{
		name:  "plugin-calls",
		usage: "`number` of calls that a plugin is asked at once, or unlimited; others wait (default 256)",
		set:   func(c *Config, v []string) string { return orUnlimited(v[0], &c.Limits.Calls, setNumber) },
	},
	{
		name:  "source-calls",
		usage: "`number` of calls that one data source is asked at once, or unlimited; others wait (default 128)",
		set:   func(c *Config, v []string) string { return orUnlimited(v[0], &c.Limits.CallsPerDataSource, setNumber) },
	},
	{
		name:  "crashes",
		usage: "`number/time` of crashes that put a plugin into quarantine, or unlimited (default 3/5m)",
		set:   setCrashes,
	},
	{
		name:   "admin-password",
		noFlag: true,
		set:    func(c *Config, v []string) string { c.AdminPassword = Secret(v[0]); return "" },
		check:  func(c Config) string { return checkPassword(c.AdminPassword) },
	},
	{
		name:   "secret-key",
		noFlag: true,
		set:    func(c *Config, v []string) string { c.SecretKey = Secret(v[0]); return "" },
		check: func(c Config) string {
			if c.SecretKey != "" && c.SecretKeyFile != "" {
				return "is given as well as secret-key-file, want one of them"
			}
			return ""
		},
	},
	{
		name:  "secret-key-file",
		usage: "`file` with the key that encrypts secrets at rest (default secret.key in the data folder, made if missing)",
		set:   func(c *Config, v []string) string { c.SecretKeyFile = v[0]; return "" },
	},
	{
		name:  "cgroup",
		usage: "cgroup v2 `folder` to make a group for every plugin in (default the one that systemd has delegated)",
		set:   func(c *Config, v []string) string { c.Cgroup = v[0]; return "" },
	},
	{
		name:  "log-level",
		usage: "least `level` that is logged: debug, info, warn or error (default info)",
		set:   setLogLevel,
	},
	{
		name:  "otlp-address",
		usage: "`address` of an OpenTelemetry collector, host:port, that the server and its plugins send traces to (default none)",
		set:   func(c *Config, v []string) string { c.OTLPAddress = v[0]; return "" },
		check: func(c Config) string { return checkOTLPAddress(c.OTLPAddress) },
	},
	{
		name:  "trace-ratio",
		usage: "`part` of the requests that name no trace to trace, from 0 to 1 (default 1)",
		set:   setTraceRatio,
	},
}

// checkOTLPAddress is stricter than checkAddress: it is asked, not listened on.
func checkOTLPAddress(address string) string {
	if host, _, err := net.SplitHostPort(address); address != "" && (err != nil || host == "") {
		return fmt.Sprintf("is %q, want host:port", address)
	}
	return ""
}

func setTraceRatio(c *Config, values []string) string {
	ratio, err := strconv.ParseFloat(values[0], 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		return fmt.Sprintf("is %q, want a number from 0 to 1", values[0])
	}
	c.TraceRatio = &ratio
	return ""
}

// Flag describes one flag of `plugboard serve`.
type Flag struct {
	Name  string
	Usage string
	// List flags may be repeated.
	List bool
}

// Flags returns the flags that Load understands, in the order to show them.
func Flags() []Flag {
	var flags []Flag
	for _, s := range settings {
		if !s.noFlag {
			flags = append(flags, Flag{Name: s.name, Usage: s.usage, List: s.list})
		}
	}
	return flags
}

// variable is the setting's name in the environment.
func (s setting) variable() string {
	return "PLUGBOARD_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

func setLogLevel(c *Config, values []string) string {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[strings.ToLower(values[0])]
	if !ok {
		return fmt.Sprintf("is %q, want debug, info, warn or error", values[0])
	}
	c.LogLevel = level
	return ""
}

// orUnlimited reads a limit; unlimited is negative.
func orUnlimited[N ~int | ~int64](text string, limit *N, set func(*N, string) string) string {
	if text == unlimited {
		*limit = -1
		return ""
	}
	if problem := set(limit, text); problem != "" {
		return problem + ", or " + unlimited
	}
	return ""
}

func setDuration(d *time.Duration, text string) string {
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed <= 0 {
		return fmt.Sprintf("is %q, want a time such as 90s or 5m", text)
	}
	*d = parsed
	return ""
}

func setNumber[N ~int | ~int64](n *N, text string) string {
	parsed, err := strconv.ParseInt(text, 10, strconv.IntSize)
	if err != nil || parsed <= 0 {
		return fmt.Sprintf("is %q, want a number above 0", text)
	}
	*n = N(parsed)
	return ""
}

func setSize(size *int64, text string) string {
	bytes, err := parseBytes(text, 64)
	if err != nil || !(bytes >= 1 && bytes < 1<<60) {
		return fmt.Sprintf("is %q, want a size such as 64MiB", text)
	}
	*size = int64(bytes)
	return ""
}

func setCrashes(c *Config, values []string) string {
	if values[0] == unlimited {
		c.Crashes = -1
		return ""
	}
	number, window, _ := strings.Cut(values[0], "/")
	if setNumber(&c.Crashes, number) != "" || setDuration(&c.CrashWindow, window) != "" {
		return fmt.Sprintf("is %q, want a number and a time such as 3/5m, or unlimited", values[0])
	}
	return ""
}

func checkAddress(address string) string {
	if address == "" {
		return ""
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Sprintf("is %q, want host:port or :port", address)
	}
	if _, err := net.LookupPort("tcp", port); err != nil || port == "" {
		return fmt.Sprintf("is %q, want a port between 0 and 65535 behind the colon", address)
	}
	return ""
}

func checkURL(text string) string {
	if text == "" {
		return ""
	}
	if u, err := url.Parse(text); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Sprintf("is %q, want http://host or https://host, and a path if there is one", text)
	}
	return ""
}

func checkIDs(ids []string, also ...string) string {
	for _, id := range ids {
		if !slices.Contains(also, id) && !validPluginID(id) {
			return fmt.Sprintf("has %q, want the id of a plugin", id)
		}
	}
	return ""
}

// validPluginID is lenient, as hosts are: old plugins have odd ids.
func validPluginID(id string) bool {
	return id != "" && !strings.ContainsFunc(id, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.", r))
	})
}

// maxPassword is what bcrypt looks at.
const maxPassword = 72

func checkPassword(password Secret) string {
	if len(password) > maxPassword {
		return fmt.Sprintf("has %d bytes, want %d at most", len(password), maxPassword)
	}
	return ""
}
