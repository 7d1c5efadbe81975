package main

import (
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

const ours = "github.com/plugboard/plugboard"

// module is one of somebody else that a binary is built from.
type module struct{ path, version string }

func (m module) String() string { return m.path + "@" + m.version }

// url names the module for those who look for its vulnerabilities.
func (m module) url() string {
	return "pkg:golang/" + m.path + "@" + strings.ReplaceAll(m.version, "+", "%2B")
}

// modulesOf are the modules of others in a binary, by path. The Go linker wrote
// them there.
func modulesOf(binary string) ([]module, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	var modules []module
	for _, m := range info.Deps {
		switch {
		case m.Path == ours: // the repository itself, in another folder
		case m.Replace != nil:
			return nil, fmt.Errorf("%s is replaced by %s: no release is made of that", m.Path, m.Replace.Path)
		default:
			modules = append(modules, module{m.Path, m.Version})
		}
	}
	slices.SortFunc(modules, func(a, b module) int { return cmp.Compare(a.path, b.path) })
	return modules, nil
}

// npmPackage is one that the console in a binary is bundled from.
type npmPackage struct{ Name, Version, License string }

// url names the package for those who look for its vulnerabilities.
func (p npmPackage) url() string {
	return "pkg:npm/" + strings.Replace(p.Name, "@", "%40", 1) + "@" + p.Version
}

// consolePackages are those that the console of a source tree is bundled from,
// as its build wrote them down; none if it is not built.
func consolePackages(source string) ([]npmPackage, error) {
	dist := filepath.Join(source, "server", "console", "dist")
	if _, err := os.Stat(filepath.Join(dist, "index.html")); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	text, err := os.ReadFile(filepath.Join(dist, "packages.json"))
	if err != nil {
		return nil, fmt.Errorf("what the console is made of: %w", err)
	}
	var packages []npmPackage
	if err := json.Unmarshal(text, &packages); err != nil {
		return nil, fmt.Errorf("what the console is made of: packages.json: %w", err)
	}
	return packages, nil
}

// writeBill writes the bill of materials of a binary, as CycloneDX JSON: what
// the linker says is in it, and not what go.mod might ask for, and what the
// bundler says is in its console.
func writeBill(source, binary, target string, id identity) error {
	modules, err := modulesOf(binary)
	if err != nil {
		return err
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	std := module{"stdlib", strings.TrimPrefix(info.GoVersion, "go")}
	components := []cdx.Component{library(std)}
	for _, m := range modules {
		components = append(components, library(m))
	}
	packages, err := consolePackages(source)
	if err != nil {
		return err
	}
	for _, p := range packages {
		components = append(components, script(p))
	}
	bill := cdx.NewBOM()
	bill.Metadata = &cdx.Metadata{Timestamp: id.time.Format(time.RFC3339), Component: program(id, content)}
	bill.Components = &components
	bill.Dependencies = &[]cdx.Dependency{{Ref: bill.Metadata.Component.BOMRef, Dependencies: references(components)}}
	out, err := os.Create(target)
	if err != nil {
		return err
	}
	return errors.Join(cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bill, cdx.SpecVersion1_6), out.Close())
}

// program is the component that all the others are part of.
func program(id identity, content []byte) *cdx.Component {
	url := module{ours, id.version}.url()
	return &cdx.Component{
		BOMRef: url, Type: cdx.ComponentTypeApplication, Name: "plugboard", Version: id.version, PackageURL: url,
		Licenses: &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}},
		Hashes:   &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: fmt.Sprintf("%x", sha256.Sum256(content))}},
	}
}

func library(m module) cdx.Component {
	return cdx.Component{BOMRef: m.url(), Type: cdx.ComponentTypeLibrary, Name: m.path, Version: m.version, PackageURL: m.url()}
}

// script is a component of the console. Its license may be an expression.
func script(p npmPackage) cdx.Component {
	return cdx.Component{
		BOMRef: p.url(), Type: cdx.ComponentTypeLibrary, Name: p.Name, Version: p.Version, PackageURL: p.url(),
		Licenses: &cdx.Licenses{{Expression: p.License}},
	}
}

func references(components []cdx.Component) *[]string {
	var refs []string
	for _, c := range components {
		refs = append(refs, c.BOMRef)
	}
	return &refs
}
