package host

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/plugboard/plugboard/host/internal/process"
	"github.com/plugboard/plugboard/host/internal/supervisor"
)

// Config says which plugins to run and how. The zero Config runs, without any.
type Config struct {
	// PluginDirs are searched for plugin.json files, all the way down: links
	// are followed, node_modules is left out, and of a directory that has a
	// "dist" only that is looked at. The first plugin of an id wins.
	PluginDirs []string
	// DevDirs are searched before PluginDirs, for plugins that somebody works at:
	// they need no signature, and are reloaded (see Host.Reload) whenever their
	// plugin.json or executable has changed.
	DevDirs []string
	// Bundled are plugins that come with the embedder's own program. They win
	// over those in PluginDirs and need no signature.
	Bundled []Bundled
	// Remote are plugins that run elsewhere. They win over those in PluginDirs;
	// their certificates stand for a signature.
	Remote []Remote
	// TrustedKeys are the keys whose signatures plugins may carry; nil stands
	// for Grafana Labs' own, for all plugins. A plugin that is not bundled is
	// loaded if a trusted key vouches for every file of it, or if it has no
	// signature and AllowUnsigned names it. One with a signature that no trusted
	// key has made, or made for other files, is never (see Host.Faults).
	TrustedKeys []TrustedKey
	// AllowUnsigned lists the ids of plugins that may run without a signature;
	// "*" allows all.
	AllowUnsigned []string
	// RootURL is where people reach this program, for plugins that are signed
	// for some servers only.
	RootURL string
	// VersionsDir is the folder that Upgrade installs versions of plugins in: for
	// each plugin a folder, in that one for each version, and a file that says
	// which is current. Those win over PluginDirs. Empty: there is no Upgrade.
	VersionsDir string
	// PluginEnv holds settings by plugin id and key. They reach the plugin's
	// process as environment variables: "key" as GF_PLUGIN_KEY.
	PluginEnv map[string]map[string]string
	// GrafanaConfig is sent along with every call, as plugins on the official
	// SDK read settings of the host's from there. It comes on top of defaults
	// for GF_CONCURRENT_QUERY_COUNT and the GF_SQL_ keys, without which SQL
	// plugins do not work. Plugins rebuild all their instances when it
	// changes, which is why it cannot.
	GrafanaConfig map[string]string
	// GrafanaVersion is the version of Grafana that plugins are told they run
	// under. Default: 12.4.0.
	GrafanaVersion string
	// OTLPAddress is where plugins are told to send spans of their calls:
	// host:port of an OpenTelemetry collector, without TLS. Empty: nowhere. A
	// call whose context is part of a trace (see package trace) is recorded if
	// that is.
	OTLPAddress string
	// TraceRatio is how much of the calls that are part of no trace plugins
	// are to record, from 0, the default, to 1.
	TraceRatio float64
	// Chunked lists the ids of plugins that answer chunked queries besides
	// those on our SDK, which say so themselves. Some plugins that do not
	// answer them panic instead.
	Chunked []string
	// Sandbox holds policies by plugin id; "*" stands for all that are neither
	// named nor bundled. Default: the zero Policy.
	Sandbox map[string]Policy
	// StateDir is the folder in which every plugin has one of its own, by its
	// id, to keep things in. Plugins find it in PLUGBOARD_STATE_DIR. Default:
	// plugins keep nothing.
	StateDir string
	// Cgroup is a folder of a cgroup v2 hierarchy in which the host may make
	// groups for its plugins. Default: the one above our own that systemd has
	// delegated, if it has (Delegate= with DelegateSubgroup=).
	Cgroup string
	// StartTimeout bounds a plugin's start. Default: 60 s.
	StartTimeout time.Duration
	// Wait bounds how long a call waits for a plugin that is being started.
	// Default: 10 s.
	Wait time.Duration
	// Crashes is how many times within CrashWindow a process may end by itself:
	// the last of them puts the plugin into quarantine, until Start or Restart.
	// Default: 3. A negative number lets it crash for ever.
	Crashes int
	// CrashWindow defaults to 5 minutes.
	CrashWindow time.Duration
	// ProbeEvery is the time between two signs of life that the host asks of a
	// process. One that leaves three in a row without an answer, for half that
	// time each, is killed. Default: 10 s.
	ProbeEvery time.Duration
	// Limits bound what calls may take of the host.
	Limits Limits
	// Logger receives what the host and its plugins have to tell an operator.
	// Nil discards it.
	Logger *slog.Logger
}

// Bundled is a plugin that comes with the embedder's program. It runs as a
// child process like any other.
type Bundled struct {
	// Manifest is its plugin.json.
	Manifest []byte
	// Command starts it: an executable, often the embedder's own, and its
	// arguments. A plugin without a backend needs none.
	Command []string
	// Aliases are further ids it answers to.
	Aliases []string
	// Policy is what it may do unless Config.Sandbox names it.
	Policy Policy
}

const defaultGrafanaVersion = "12.4.0"

// defaultGrafanaConfig is what Grafana sends as long as nobody configures it.
var defaultGrafanaConfig = map[string]string{
	"GF_CONCURRENT_QUERY_COUNT":                "10",
	"GF_SQL_ROW_LIMIT":                         "1000000",
	"GF_SQL_MAX_OPEN_CONNS_DEFAULT":            "100",
	"GF_SQL_MAX_IDLE_CONNS_DEFAULT":            "100",
	"GF_SQL_MAX_CONN_LIFETIME_SECONDS_DEFAULT": "14400",
}

func (c Config) withDefaults() Config {
	if c.GrafanaVersion == "" {
		c.GrafanaVersion = defaultGrafanaVersion
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = process.DefaultStartTimeout
	}
	if c.Wait == 0 {
		c.Wait = supervisor.DefaultWait
	}
	c.Limits = c.Limits.withDefaults()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	config := maps.Clone(defaultGrafanaConfig)
	maps.Copy(config, c.GrafanaConfig)
	c.GrafanaConfig = config
	return c
}

// Plugins drop a user agent of any other form without a word.
var versionForm = regexp.MustCompile(`^\d+\.\d+\.\d+[^\s()]*$`)

// Validate reports every fault of the configuration at once.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if c.GrafanaVersion != "" && !versionForm.MatchString(c.GrafanaVersion) {
		fault("GrafanaVersion %q is not of the form 12.4.0", c.GrafanaVersion)
	}
	if c.StartTimeout < 0 {
		fault("StartTimeout %v is negative", c.StartTimeout)
	}
	if c.Wait < 0 {
		fault("Wait %v is negative", c.Wait)
	}
	if _, _, err := net.SplitHostPort(c.OTLPAddress); c.OTLPAddress != "" && err != nil {
		fault("OTLPAddress is %q, want host:port", c.OTLPAddress)
	}
	if !(c.TraceRatio >= 0 && c.TraceRatio <= 1) {
		fault("TraceRatio is %v, want 0 to 1", c.TraceRatio)
	}
	if c.CrashWindow < 0 {
		fault("CrashWindow %v is negative", c.CrashWindow)
	}
	if c.ProbeEvery < 0 {
		fault("ProbeEvery %v is negative", c.ProbeEvery)
	}
	for i, dir := range c.DevDirs {
		if dir == "" {
			fault("DevDirs[%d] is empty", i)
		}
	}
	for i, dir := range c.PluginDirs {
		if dir == "" {
			fault("PluginDirs[%d] is empty", i)
		}
	}
	if _, err := c.ring(); err != nil {
		faults = append(faults, err)
	}
	faults = append(faults, c.checkRemote()...)
	for id, settings := range c.PluginEnv {
		for key, value := range settings {
			if key == "" || strings.ContainsAny(key, "=\x00") || strings.Contains(value, "\x00") {
				fault("PluginEnv[%q][%q] cannot be an environment variable", id, key)
			}
		}
	}
	faults = append(faults, c.validatePolicies()...)
	return errors.Join(faults...)
}

// userAgent is what plugins see as the host's.
func (c Config) userAgent() string {
	return fmt.Sprintf("Grafana/%s (%s; %s)", c.GrafanaVersion, runtime.GOOS, runtime.GOARCH)
}
