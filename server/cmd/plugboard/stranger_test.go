//go:build linux

package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const sdk = "github.com/plugboard/plugboard"

// strangerEnv is the environment of somebody who has Go and plugboard, but not
// our sources: the SDK comes from a module proxy in files, under a version that
// is made from what is in it, and all else from the module cache first.
func strangerEnv(t *testing.T) []string {
	t.Helper()
	cache := strings.TrimSpace(goCommand(t, "env", "GOMODCACHE"))
	proxy, version := moduleProxy(t)
	t.Cleanup(func() { forget(t, cache, version) })
	return append(os.Environ(),
		"GOPROXY=file://"+proxy+",file://"+filepath.Join(cache, "cache", "download")+","+strings.TrimSpace(goCommand(t, "env", "GOPROXY")),
		"GOSUMDB=off", "GOWORK=off", "GOFLAGS=-modcacherw", "GOTOOLCHAIN=local", "HOME="+t.TempDir(),
		"GOCACHE="+strings.TrimSpace(goCommand(t, "env", "GOCACHE")), "GOMODCACHE="+cache)
}

// moduleProxy writes the root module of the checkout as a proxy serves it.
func moduleProxy(t *testing.T) (dir, version string) {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	var content bytes.Buffer
	files := moduleFiles(t, root)
	for _, name := range files {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&content, "%s %x\n", name, sha256.Sum256(b))
	}
	version = fmt.Sprintf("v0.0.0-checkout.%x", sha256.Sum256(content.Bytes()))[:35]
	dir = t.TempDir()
	at := filepath.Join(dir, filepath.FromSlash(sdk), "@v")
	if err := os.MkdirAll(at, 0o700); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"list": []byte(version + "\n"), version + ".mod": mod, version + ".info": fmt.Appendf(nil, `{"Version": %q}`, version),
		version + ".zip": zipOf(t, root, version, files),
	} {
		if err := os.WriteFile(filepath.Join(at, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, version
}

// moduleFiles are the files of the root module, tracked or new, without those of
// the modules in folders of it.
func moduleFiles(t *testing.T, root string) []string {
	t.Helper()
	git := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard")
	git.Dir = root
	listed, err := git.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	all := strings.Fields(string(listed))
	var others []string
	for _, name := range all {
		if dir, ok := strings.CutSuffix(name, "/go.mod"); ok {
			others = append(others, dir+"/")
		}
	}
	var files []string
next:
	for _, name := range all {
		for _, other := range others {
			if strings.HasPrefix(name, other) {
				continue next
			}
		}
		if info, err := os.Lstat(filepath.Join(root, name)); err == nil && info.Mode().IsRegular() {
			files = append(files, name)
		}
	}
	return files
}

func zipOf(t *testing.T, root, version string, files []string) []byte {
	t.Helper()
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for _, name := range files {
		to, err := archive.Create(sdk + "@" + version + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		from, err := os.Open(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(to, from)
		from.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// forget takes a version of the SDK out of the module cache.
func forget(t *testing.T, cache, version string) {
	folder := filepath.Join(cache, filepath.FromSlash(sdk)+"@"+version)
	_ = filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) //nolint:gosec // a folder
		}
		return nil
	})
	if err := os.RemoveAll(folder); err != nil {
		t.Error(err)
	}
	kept, _ := filepath.Glob(filepath.Join(cache, "cache", "download", filepath.FromSlash(sdk), "@v", version+".*"))
	for _, name := range kept {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

func goCommand(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}
