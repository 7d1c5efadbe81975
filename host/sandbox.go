package host

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plugboard/plugboard/host/internal/catalog"
	"github.com/plugboard/plugboard/host/internal/sandbox"
)

// Policy is what a plugin's process may do. The zero Policy is that of level
// default. Outside Linux, only its absence can be told: see Plugin.Sandbox.
type Policy struct {
	// Level is how much the plugin is trusted: "off" with what this program
	// may do itself, "default" with what data sources need, "strict" with
	// less. Empty means default.
	Level string
	// Read and Write are files and folders, with all below, that the plugin
	// may read, and read and write. They must exist when it starts. Beside
	// them it has its own folder to read, and a temporary one and that of
	// Config.StateDir to write.
	Read, Write []string
	// Network is "any", "none", or the TCP ports that the plugin may connect
	// to, separated by commas. Ports do not restrict UDP. Empty means any, at
	// level strict none.
	Network string
	// Memory is how many bytes of memory the plugin may have. 0 means half of
	// the machine's, -1 no limit.
	Memory int64
	// CPU is how many processors the plugin may use, such as 0.5. It takes the
	// tier cgroup. 0 means all.
	CPU float64
	// Processes is how many processes and threads the plugin and its children
	// may be at a time. 0 means 512, -1 no limit.
	Processes int
	// Files is how many files and connections each of its processes may have
	// open. 0 means 4096, -1 no limit.
	Files int
	// Required are tiers without which the plugin does not start: "limits",
	// "landlock", "seccomp", "namespaces" and "cgroup". Namespaces are used
	// because they are required, also at level default.
	Required []string
}

// Validate reports every fault of the policy at once.
func (p Policy) Validate() error { return sandbox.Policy(p).Validate() }

// SandboxTier is one means of the operating system's by which a plugin is
// confined.
type SandboxTier struct {
	// Tier is one of those in Policy.Required.
	Tier string
	// On: the plugin has it.
	On bool
	// Detail is what it does, or why it is not on.
	Detail string
}

// anyPlugin in Config.Sandbox stands for plugins that are neither named there
// nor bundled.
const anyPlugin = "*"

// policy is what applies to a plugin.
func (c Config) policy(entry *catalog.Entry) sandbox.Policy {
	if p, named := c.Sandbox[entry.Manifest.ID]; named {
		return sandbox.Policy(p)
	}
	for _, bundled := range c.Bundled {
		if entry.Bundled && bytes.HasSuffix(bundled.Manifest, entry.Manifest.Raw) { // but for a byte order mark
			return sandbox.Policy(bundled.Policy)
		}
	}
	return sandbox.Policy(c.Sandbox[anyPlugin])
}

// validatePolicies returns the faults of all policies.
func (c Config) validatePolicies() (faults []error) {
	for _, id := range slices.Sorted(maps.Keys(c.Sandbox)) {
		if err := c.Sandbox[id].Validate(); err != nil {
			faults = append(faults, fmt.Errorf("policy %q of Sandbox: %w", id, err))
		}
	}
	for i, bundled := range c.Bundled {
		if err := bundled.Policy.Validate(); err != nil {
			faults = append(faults, fmt.Errorf("Bundled[%d].Policy: %w", i, err))
		}
	}
	return faults
}

// state is the folder that a plugin may keep things in.
func (c Config) state(id string) string {
	if c.StateDir == "" || strings.Trim(id, ".") == "" {
		return ""
	}
	return filepath.Join(c.StateDir, id)
}

// Tiers returns what there is to confine plugins with, the same for all.
func (h *Host) Tiers() []SandboxTier {
	return tiers(h.sandbox.Status(sandbox.Policy{Level: sandbox.Strict}))
}

func tiers(statuses []sandbox.Status) []SandboxTier {
	tiers := make([]SandboxTier, len(statuses))
	for i, status := range statuses {
		tiers[i] = SandboxTier(status)
	}
	return tiers
}

// logTiers tells an operator what plugins are confined with.
func (h *Host) logTiers(ctx context.Context) {
	var attrs []slog.Attr
	for _, tier := range h.Tiers() {
		text := "on: " + tier.Detail
		if !tier.On {
			text = "off: " + tier.Detail
		}
		attrs = append(attrs, slog.String(tier.Tier, text))
	}
	h.config.Logger.LogAttrs(ctx, slog.LevelInfo, "sandbox", attrs...)
}
