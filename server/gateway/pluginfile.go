package gateway

import (
	"net/http"
	"os"
)

// pluginFile answers GET /public/plugins/:id/* with a file of the plugin's
// directory, such as its logo. Nothing outside that directory is within reach,
// whatever the path or a link in the directory says.
func (g *Gateway) pluginFile(w http.ResponseWriter, r *http.Request) error {
	p, err := g.plugin(r.PathValue("id"))
	if err != nil {
		return err
	}
	name := r.PathValue("file")
	if p.Dir == "" {
		return notFound("Plugin file not found: plugin %s is bundled and has no files", p.Manifest.ID)
	}
	root, err := os.OpenRoot(p.Dir)
	if err != nil {
		return notFound("Plugin file not found: plugin %s", p.Manifest.ID)
	}
	defer root.Close() //nolint:errcheck // only read
	file, err := root.Open(name)
	if err != nil {
		return notFound("Plugin file not found: %q of plugin %s", name, p.Manifest.ID)
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return notFound("Plugin file not found: %q of plugin %s", name, p.Manifest.ID)
	}
	w.Header().Set("Content-Security-Policy", "sandbox")
	w.Header().Set("Cache-Control", "private, max-age=3600")
	http.ServeContent(w, r, name, info.ModTime(), file)
	return nil
}
