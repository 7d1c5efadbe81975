package host

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/plugboard/plugboard/host/internal/catalog"
	"github.com/plugboard/plugboard/trace/otlp"
)

// keyPlugin is the key of the plugin's id in our log lines.
const keyPlugin = "plugin"

// inherited are the only variables of our own environment that reach plugins:
// the rest may hold our secrets.
var inherited = []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"}

// environment returns a plugin's whole environment, but for what the handshake
// adds.
func (h *Host) environment(entry *catalog.Entry) []string {
	env := []string{
		"GF_VERSION=" + h.config.GrafanaVersion,
		"GF_EDITION=Open Source",
		"GF_PLUGIN_VERSION=" + entry.Manifest.Info.Version,
	}
	for _, name := range inherited {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	if address := h.config.OTLPAddress; address != "" {
		env = append(env,
			otlp.AddressVariable+"="+address,
			otlp.PropagationVariable+"=w3c",
			otlp.SamplerTypeVariable+"=probabilistic",
			otlp.SamplerParamVariable+"="+strconv.FormatFloat(h.config.TraceRatio, 'f', 6, 64))
	}
	if !h.config.Logger.Enabled(context.Background(), slog.LevelDebug) {
		env = append(env, "GF_PLUGIN_LOG_LEVEL=info") // a setting of the plugin's comes later, and wins
	}
	settings := make([]string, 0, len(h.config.PluginEnv[entry.Manifest.ID]))
	for key, value := range h.config.PluginEnv[entry.Manifest.ID] {
		settings = append(settings, "GF_PLUGIN_"+strings.ToUpper(key)+"="+value)
	}
	slices.Sort(settings)
	return append(env, settings...)
}
