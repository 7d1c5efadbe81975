package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/plugboard/plugboard/server/datasource"
)

// ReadProvisioning reads Grafana's provisioning files: *.yaml and *.yml in the
// folders datasources and plugins of dir, or in dir itself if it has neither.
// An empty dir means no provisioning.
//
// A fault costs the file, data source or app that has it; the rest is
// returned along with the error, which is Faults, and marked Incomplete so
// that nothing is pruned. This holds at start as on reload: Plugboard starts
// and tells, it does not stay down for a typing error.
func ReadProvisioning(dir string) (datasource.Provisioning, error) {
	return readProvisioning(dir, systemExpander())
}

func readProvisioning(dir string, expand expander) (datasource.Provisioning, error) {
	if dir == "" {
		return datasource.Provisioning{}, nil
	}
	p := provisioning{expand: expand, names: map[string]string{}, uids: map[string]string{}, apps: map[string]string{}}
	for _, file := range p.files(dir) {
		p.readFile(dir, file)
	}
	p.result.Incomplete = len(p.faults) > 0
	return p.result, p.faults.err()
}

type provisioning struct {
	expand expander
	result datasource.Provisioning
	faults Faults
	// Where each name, uid and app was first given, and the default.
	names, uids, apps map[string]string
	defaultAt         string
}

// files returns the names of the files below dir in the order to apply them.
func (p *provisioning) files(dir string) []string {
	var files []string
	folders := 0
	for _, folder := range []string{"datasources", "plugins"} {
		found, err := yamlFiles(dir, folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		folders++
		files = append(files, found...)
		p.unreadable(err)
	}
	if folders == 0 {
		found, err := yamlFiles(dir, ".")
		p.unreadable(err)
		return found
	}
	return files
}

func (p *provisioning) unreadable(err error) {
	if err != nil {
		p.faults = append(p.faults, Fault{Problem: "read provisioning: " + err.Error()})
	}
}

func yamlFiles(dir, folder string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, folder))
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		if ext := path.Ext(entry.Name()); !entry.IsDir() && (ext == ".yaml" || ext == ".yml") {
			files = append(files, path.Join(folder, entry.Name()))
		}
	}
	return files, nil
}

func (p *provisioning) readFile(dir, name string) {
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		p.unreadable(err)
		return
	}
	f := file{all: p, document: newDocument(name, p.expand.expand)}
	f.read(f.parse(text))
	p.faults = append(p.faults, f.faults...)
	for _, warning := range f.warnings {
		p.result.Warnings = append(p.result.Warnings, warning.Error())
	}
}

// file is one file being read.
type file struct {
	all *provisioning
	*document
	faultless int // faults before the current entry
}

func (f *file) read(root *yaml.Node) {
	if root == nil {
		return
	}
	version := int64(-1)
	var prune bool
	var deleted, dataSources, apps *yaml.Node
	f.fields(root, "", map[string]read{
		"apiVersion":        func(n *yaml.Node, field string) { version = f.integer(n, field) },
		"prune":             func(n *yaml.Node, field string) { prune = f.boolean(n, field) },
		"deleteDatasources": func(n *yaml.Node, _ string) { deleted = n },
		"datasources":       func(n *yaml.Node, _ string) { dataSources = n },
		"apps":              func(n *yaml.Node, _ string) { apps = n },
	}, f.ignore)
	if len(f.faults) > 0 {
		return
	}
	switch version {
	case 1:
	case -1:
		f.fault(root, "apiVersion", "is missing, want 1")
		return
	default:
		f.fault(root, "apiVersion", fmt.Sprintf("is %d, want 1", version))
		return
	}
	if prune {
		f.all.result.Prune = append(f.all.result.Prune, f.name)
	}
	f.items(deleted, "deleteDatasources", f.readDelete)
	f.items(dataSources, "datasources", func(n *yaml.Node, field string) { f.readDataSource(n, field, prune) })
	f.items(apps, "apps", f.readApp)
}

// ignore leaves out keys that Grafana knows and Plugboard does not.
func (f *file) ignore(key *yaml.Node, field string) {
	f.warn(key, field, "is not known and ignored")
}

// misplaced secrets would be readable by everybody who may read data sources.
func (f *file) misplaced(n *yaml.Node, field string) {
	f.warn(n, field, "is ignored: it belongs into secureJsonData")
}

func (f *file) readDelete(n *yaml.Node, field string) {
	f.begin()
	var name string
	isMapping := f.fields(n, field, f.withOrg(map[string]read{
		"name": func(n *yaml.Node, field string) { name = f.text(n, field) },
	}), f.ignore)
	if !isMapping {
		return
	}
	f.want(n, field+".name", name)
	if f.good() {
		f.all.result.Delete = append(f.all.result.Delete, name)
	}
}

func (f *file) readDataSource(n *yaml.Node, field string, prune bool) {
	f.begin()
	d := datasource.DataSource{ReadOnly: true, Provenance: f.name, Prunable: prune}
	if !f.fields(n, field, f.withOrg(f.dataSourceFields(&d)), f.ignore) {
		return
	}
	f.want(n, field+".name", d.Name)
	f.want(n, field+".type", d.Type)
	if d.UID == "" {
		d.UID = uidOf(d.Name)
	}
	if !datasource.ValidUID(d.UID) {
		f.fault(n, field+".uid", fmt.Sprintf("is %q, want up to %d letters, digits, - and _", d.UID, datasource.MaxUID))
	}
	if !f.good() || !f.unique(n, field+".name", d.Name, f.all.names) || !f.unique(n, field+".uid", d.UID, f.all.uids) {
		return
	}
	if d.IsDefault && f.all.defaultAt != "" {
		f.fault(n, field+".isDefault", "is true, but there is a default already: "+f.all.defaultAt)
		d.IsDefault = false
	}
	if d.IsDefault {
		f.all.defaultAt = fmt.Sprintf("%q in %s:%d", d.Name, f.name, n.Line)
	}
	f.all.result.DataSources = append(f.all.result.DataSources, d)
}

func (f *file) dataSourceFields(d *datasource.DataSource) map[string]read {
	text := func(to *string) read { return func(n *yaml.Node, field string) { *to = f.text(n, field) } }
	boolean := func(to *bool) read { return func(n *yaml.Node, field string) { *to = f.boolean(n, field) } }
	known := func(*yaml.Node, string) {}
	return map[string]read{
		"name": text(&d.Name), "type": text(&d.Type), "uid": text(&d.UID),
		"url": text(&d.URL), "user": text(&d.User), "database": text(&d.Database),
		"basicAuth": boolean(&d.BasicAuth), "basicAuthUser": text(&d.BasicAuthUser),
		"withCredentials": boolean(&d.WithCredentials), "isDefault": boolean(&d.IsDefault),
		"access":         func(n *yaml.Node, field string) { d.Access = f.access(n, field) },
		"editable":       func(n *yaml.Node, field string) { d.ReadOnly = !f.boolean(n, field) },
		"jsonData":       func(n *yaml.Node, field string) { d.JSON = f.object(n, field) },
		"secureJsonData": func(n *yaml.Node, field string) { d.Secrets = f.textMap(n, field) },
		// Grafana's own stored version decides nothing here; correlations are
		// for its frontend.
		"version": known, "correlations": known,
		"password": f.misplaced, "basicAuthPassword": f.misplaced,
	}
}

func (f *file) access(n *yaml.Node, field string) string {
	switch access := f.text(n, field); access {
	case "", "proxy", "direct":
		return access
	default:
		f.warn(n, field, fmt.Sprintf("is %q, want proxy or direct: proxy is taken", access))
		return "proxy"
	}
}

func (f *file) readApp(n *yaml.Node, field string) {
	f.begin()
	app := datasource.App{Enabled: true, Pinned: true}
	isMapping := f.fields(n, field, f.withOrg(map[string]read{
		"type":           func(n *yaml.Node, field string) { app.PluginID = f.text(n, field) },
		"disabled":       func(n *yaml.Node, field string) { app.Enabled = !f.boolean(n, field) },
		"jsonData":       func(n *yaml.Node, field string) { app.JSON = f.object(n, field) },
		"secureJsonData": func(n *yaml.Node, field string) { app.Secrets = f.textMap(n, field) },
	}), f.ignore)
	if !isMapping {
		return
	}
	f.want(n, field+".type", app.PluginID)
	if f.good() && f.unique(n, field+".type", app.PluginID, f.all.apps) {
		f.all.result.Apps = append(f.all.result.Apps, app)
	}
}

// withOrg adds the keys that name an organisation: Plugboard has one.
func (f *file) withOrg(fields map[string]read) map[string]read {
	id := func(n *yaml.Node, field string) {
		if org := f.integer(n, field); org > 1 {
			f.fault(n, field, fmt.Sprintf("is %d, want 1: there is one organisation", org))
		}
	}
	name := func(n *yaml.Node, field string) {
		if f.text(n, field) != "" {
			f.warn(n, field, "is ignored: there is one organisation")
		}
	}
	fields["orgId"], fields["org_id"] = id, id
	fields["orgName"], fields["org_name"] = name, name
	return fields
}

// begin and good frame one entry: good reports whether it has no fault so far.
func (f *file) begin()     { f.faultless = len(f.faults) }
func (f *file) good() bool { return len(f.faults) == f.faultless }

func (f *file) want(n *yaml.Node, field, value string) {
	if value == "" {
		f.fault(n, field, "is missing")
	}
}

// unique reports whether nobody has the value yet, and gives it to n.
func (f *file) unique(n *yaml.Node, field, value string, given map[string]string) bool {
	if first, taken := given[value]; taken {
		f.fault(n, field, fmt.Sprintf("is %q, which %s has already", value, first))
		return false
	}
	given[value] = fmt.Sprintf("%s:%d", f.name, n.Line)
	return true
}

// uidOf is the uid that Grafana derives from a name.
func uidOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "P" + strings.ToUpper(hex.EncodeToString(sum[:8]))
}
