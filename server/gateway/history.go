package gateway

import (
	"net/http"
	"time"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
	"github.com/plugboard/plugboard/host"
)

// This file is about what has become of plugins, and what could: what they have
// used, and which versions of them there are.

// History remembers what plugins have used and been asked.
type History interface {
	// Frame is of a plugin, from so long ago on.
	Frame(pluginID string, back time.Duration) *frame.Frame
}

// defaultBack is how far back a history goes for who does not say.
const defaultBack = time.Hour

// pluginHistory answers GET /api/plugins/:id/history with a frame of what the
// plugin has used and been asked in the last hour; with back=24h, or as much
// else, of that time.
func (g *Gateway) pluginHistory(w http.ResponseWriter, r *http.Request) error {
	back := defaultBack
	if text := r.URL.Query().Get("back"); text != "" {
		var err error
		if back, err = time.ParseDuration(text); err != nil || back <= 0 {
			return badRequest("bad request data: back is a length of time such as 15m or 24h, not %q", text)
		}
	}
	_, p, err := g.installed(r)
	if err != nil {
		return err
	}
	text, err := framejson.Append(nil, g.history.Frame(p.Manifest.ID, back), framejson.IncludeAll)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(text, '\n')) // the client has gone away, or not
	return nil
}

// versionsJSON tells which versions of a plugin there are.
type versionsJSON struct {
	// Version is the one that runs, or is to.
	Version string `json:"version"`
	// Former is what a rollback would switch to.
	Former *versionJSON `json:"former,omitempty"`
	// Folder is what a reload would switch to.
	Folder *versionJSON `json:"folder,omitempty"`
}

type versionJSON struct {
	Version   string `json:"version,omitempty"`
	Installed bool   `json:"installed"`
	// Fault is why it would not be switched to, as far as its files tell.
	Fault string `json:"fault,omitempty"`
}

// pluginVersions answers GET /api/plugins/:id/versions.
func (g *Gateway) pluginVersions(w http.ResponseWriter, r *http.Request) error {
	t, p, err := g.installed(r)
	if err != nil {
		return err
	}
	versions, err := g.host.Versions(p.Manifest.ID)
	if err != nil {
		return t.failed(call{endpoint: "versions"}, err)
	}
	return writeJSON(w, http.StatusOK, versionsJSON{
		Version: p.Manifest.Info.Version, Former: versionOf(versions.Former), Folder: versionOf(versions.Folder),
	})
}

func versionOf(v *host.Version) *versionJSON {
	if v == nil {
		return nil
	}
	told := &versionJSON{Version: v.Version, Installed: v.Installed}
	if v.Fault != nil {
		told.Fault = v.Fault.Error()
	}
	return told
}
