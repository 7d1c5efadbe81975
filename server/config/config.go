// Package config is what the server is told at start: by flags, environment
// and plugboard.yaml, and by provisioning files.
package config

import (
	"log/slog"
	"time"

	"github.com/plugboard/plugboard/host"
)

// Config is all that the server is told. The zero Config runs: see each
// field's default. Load makes one; a Config made by hand goes through
// WithDefaults and Validate.
type Config struct {
	// Listen is the address to serve HTTP on; default DefaultListen.
	Listen string
	// Data is the folder for everything that is kept; made if missing.
	// Default DefaultData, relative to the working directory.
	Data string
	// PluginDirs are searched for plugins. Default: only bundled ones run.
	PluginDirs []string
	// Dev are searched for plugins as well: those need no signature, and are
	// reloaded whenever they have changed.
	Dev []string
	// Provisioning is the folder to hand to ReadProvisioning; "" for none.
	Provisioning string
	// Trust lists the keys that may sign plugins, and which. Nil stands for
	// Grafana Labs' own, for all.
	Trust []host.TrustedKey
	// RootURL is where people reach the server: some plugins are signed for
	// some servers only.
	RootURL string
	// AllowUnsigned lists ids of plugins that may run without a signature;
	// "*" stands for all.
	AllowUnsigned []string
	// ChunkedPlugins lists ids of plugins that are asked for results in
	// chunks though they do not say that they can. A plugin that cannot may
	// crash when asked.
	ChunkedPlugins []string
	// StartTimeout bounds the start of a plugin. Default: the host's, 60 s.
	StartTimeout time.Duration
	// Limits bound what calls may take; a zero field stands for the host's
	// default, a negative one for no limit.
	Limits host.Limits
	// Crashes is how many times within CrashWindow a plugin may crash: the last
	// of them puts it into quarantine. Default: the host's, 3 in 5 minutes. A
	// negative number lets it crash for ever.
	Crashes     int
	CrashWindow time.Duration
	// AdminPassword becomes the admin's. Default: the one before, or at first
	// start a random one.
	AdminPassword Secret
	// SecretKey encrypts secrets at rest: 32 bytes in base64 or hex. Default:
	// what SecretKeyFile holds.
	SecretKey Secret
	// SecretKeyFile holds the key. Default: secret.key in Data, made if
	// missing.
	SecretKeyFile string
	// PluginSettings are given to a plugin's process, by plugin id and key:
	// "foo" becomes the environment variable GF_PLUGIN_FOO.
	PluginSettings PluginSettings
	// Sandbox holds what plugins may do, by id; "*" stands for all that are
	// neither named nor bundled. Only the file has it.
	Sandbox map[string]host.Policy
	// Cgroup is a cgroup v2 folder to make a group for every plugin in.
	// Default: the one that systemd has delegated, if it has.
	Cgroup string
	// Remote are plugins that run elsewhere.
	Remote []host.Remote
	// LogLevel is the least that is logged; default Info.
	LogLevel slog.Level
	// OTLPAddress is where traces go: host:port of an OpenTelemetry collector,
	// without TLS. Empty: nowhere.
	OTLPAddress string
	// TraceRatio is how many of the requests that name no trace are traced,
	// from 0 to 1. Default: 1.
	TraceRatio *float64
	// Anonymous lets everybody in as admin. It is for `plugboard demo`, which
	// listens on loopback only; no flag, file or variable sets it.
	Anonymous bool
}

const (
	DefaultListen = "127.0.0.1:3030"
	DefaultData   = "data"
)

// WithDefaults returns c with the empty fields filled in.
func (c Config) WithDefaults() Config {
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.Data == "" {
		c.Data = DefaultData
	}
	if c.TraceRatio == nil {
		c.TraceRatio = new(1.0)
	}
	return c
}

// Validate returns every fault of c at once, as Faults, or nil. It looks at no
// file.
func (c Config) Validate() error {
	return c.check(nil).err()
}

// check names the place that a setting came from, where it is known.
func (c Config) check(origins map[string]Fault) Faults {
	var faults Faults
	for _, s := range settings {
		if s.check == nil {
			continue
		}
		if problem := s.check(c); problem != "" {
			fault, known := origins[s.name]
			if !known {
				fault.Field = s.name
			}
			fault.Problem = problem
			faults = append(faults, fault)
		}
	}
	return faults
}

// PluginSettings are values by plugin id and key. They may be secret, so they
// show in no log either.
type PluginSettings map[string]map[string]string

func (p PluginSettings) String() string               { return p.shown() }
func (p PluginSettings) GoString() string             { return p.shown() }
func (p PluginSettings) LogValue() slog.Value         { return slog.StringValue(p.shown()) }
func (p PluginSettings) MarshalText() ([]byte, error) { return []byte(p.shown()), nil }

func (p PluginSettings) shown() string {
	if len(p) == 0 {
		return ""
	}
	return hidden
}

// Secret is a text that no log, error or answer shows: it prints, marshals and
// logs as "[secret]". string(s) is the text.
type Secret string

const hidden = "[secret]"

func (s Secret) String() string               { return s.shown() }
func (s Secret) GoString() string             { return s.shown() }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(s.shown()) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.shown()), nil }

func (s Secret) shown() string {
	if s == "" {
		return ""
	}
	return hidden
}
