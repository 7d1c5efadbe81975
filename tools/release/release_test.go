package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

const repository = "../.."

const password = "correct-horse"

var (
	here   = platform{runtime.GOOS, runtime.GOARCH}
	tested = identity{"v1.2.3", "0123456789abcdef0123456789abcdef01234567", time.Unix(1700000000, 0).UTC()}
	// scratch is a folder for what all tests share.
	scratch string
)

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "release-test"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(scratch)
	os.Exit(code)
}

var releaseHere = sync.OnceValues(func() (dist string, err error) {
	dist = filepath.Join(scratch, "dist")
	return dist, release(context.Background(), repository, dist, tested, []platform{here})
})

// released is the dist folder of a release for this machine.
func released(t *testing.T) string {
	t.Helper()
	dist, err := releaseHere()
	if err != nil {
		t.Fatal(err)
	}
	return dist
}

// releasedBinary is the program in it.
func releasedBinary(t *testing.T) string {
	t.Helper()
	return filepath.Join(released(t), here.String(), here.exe())
}

// A release does not know where, and from what folder, it was made.
func TestReleaseIsReproducible(t *testing.T) {
	elsewhere := t.TempDir()
	copySources(t, elsewhere)
	dist := filepath.Join(t.TempDir(), "a folder of another name")
	if err := release(t.Context(), elsewhere, dist, tested, []platform{here}); err != nil {
		t.Fatal(err)
	}
	first, second := contents(t, released(t)), contents(t, dist)
	for name := range first {
		if !bytes.Equal(first[name], second[name]) {
			t.Errorf("%s differs", name)
		}
	}
	if len(first) != 4 || len(second) != 4 {
		t.Errorf("%d files and %d, want archive, bill, sums and binary", len(first), len(second))
	}
}

// copySources copies what git has or would take, as it is in the working tree.
func copySources(t *testing.T, to string) {
	t.Helper()
	list, err := output(t.Context(), repository, nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(repository, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted
		}
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	root := os.DirFS(dir)
	paths := []string{"SHA256SUMS", here.String() + "/" + here.exe()}
	for _, pattern := range []string{"*.tar.gz", "*.zip", "*.cdx.json"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			paths = append(paths, filepath.Base(name))
		}
	}
	for _, path := range paths {
		f, err := root.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		files[path], err = io.ReadAll(f)
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestArchive(t *testing.T) {
	if here.os == "windows" {
		t.Skip("its archive is a zip")
	}
	name := "plugboard_v1.2.3_" + here.String()
	want := []string{
		"LICENSE", "README.md", "THIRD_PARTY_LICENSES", "completions/_plugboard", "completions/plugboard.bash",
		"completions/plugboard.fish", "completions/plugboard.ps1", "plugboard",
	}
	if here.os == "linux" {
		want = append(want, "plugboard.service")
	}
	inside := untar(t, filepath.Join(released(t), name+".tar.gz"))
	if got := slices.Sorted(maps.Keys(inside)); !slices.Equal(got, prefixed(name+"/", want)) {
		t.Errorf("it holds %q", got)
	}
	for file, text := range map[string]string{
		"completions/plugboard.bash": "__start_plugboard",
		"completions/_plugboard":     "#compdef plugboard",
		"completions/plugboard.fish": "complete -c plugboard",
		"completions/plugboard.ps1":  "Register-ArgumentCompleter",
		"THIRD_PARTY_LICENSES":       "=== github.com/spf13/cobra@",
	} {
		if !bytes.Contains(inside[name+"/"+file], []byte(text)) {
			t.Errorf("%s lacks %q", file, text)
		}
	}
}

func prefixed(prefix string, names []string) []string {
	var all []string
	for _, name := range names {
		all = append(all, prefix+name)
	}
	return all
}

// untar checks that the archive tells nothing of the machine it was made on.
func untar(t *testing.T, path string) map[string][]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if !header.ModTime.Equal(tested.time) || header.Uid != 0 || header.Gid != 0 || header.Uname != "root" {
			t.Errorf("%s is of %v and %s", header.Name, header.ModTime, header.Uname)
		}
		want := int64(0o644)
		if filepath.Base(header.Name) == "plugboard" {
			want = 0o755
		}
		if header.Mode != want {
			t.Errorf("%s has mode %o", header.Name, header.Mode)
		}
		if files[header.Name], err = io.ReadAll(archive); err != nil {
			t.Fatal(err)
		}
	}
}

// The order in which files are found, and the machine, leave no trace.
func TestPackersAreStable(t *testing.T) {
	one, two := file{"a", 0o755, []byte("a")}, file{"b/c", 0o644, []byte("c")}
	for name, pack := range map[string]packer{"tar": packTar, "zip": packZip} {
		var made [][]byte
		for _, files := range [][]file{{one, two}, {two, one}} {
			path := filepath.Join(t.TempDir(), name)
			if err := writeArchive(path, files, "folder", tested.time, pack); err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, content)
		}
		if !bytes.Equal(made[0], made[1]) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestSums(t *testing.T) {
	dist := released(t)
	sums, err := os.ReadFile(filepath.Join(dist, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(sums)), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d sums, want those of the archive and its bill of materials", len(lines))
	}
	for _, line := range lines {
		sum, name, _ := strings.Cut(line, "  ")
		content, err := os.ReadFile(filepath.Join(dist, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(content)); got != sum {
			t.Errorf("%s has sum %s, want %s", name, sum, got)
		}
	}
}

// The bill of materials is of this very binary, and names all that is in it.
func TestBill(t *testing.T) {
	binary, err := os.ReadFile(releasedBinary(t))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.Open(filepath.Join(released(t), "plugboard_v1.2.3_"+here.String()+".cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	var bill cdx.BOM
	if err := cdx.NewBOMDecoder(text, cdx.BOMFileFormatJSON).Decode(&bill); err != nil {
		t.Fatal(err)
	}
	program := bill.Metadata.Component
	if program.Version != "v1.2.3" || (*program.Hashes)[0].Value != fmt.Sprintf("%x", sha256.Sum256(binary)) {
		t.Errorf("it is of %+v", program)
	}
	info, err := buildinfo.Read(bytes.NewReader(binary))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"pkg:golang/stdlib@" + strings.TrimPrefix(info.GoVersion, "go")}
	for _, m := range info.Deps {
		if m.Path != ours {
			want = append(want, strings.ReplaceAll("pkg:golang/"+m.Path+"@"+m.Version, "+", "%2B"))
		}
	}
	packages, err := consolePackages(repository)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		want = append(want, p.url())
	}
	var got []string
	for _, c := range *bill.Components {
		got = append(got, c.PackageURL)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || !slices.ContainsFunc(got, func(url string) bool { return strings.HasPrefix(url, "pkg:golang/google.golang.org/grpc@v") }) {
		t.Errorf("it names\n%q, want\n%q", got, want)
	}
}

// TestConsoleBill: a console is made of packages with a name, a version and a
// license each, or it is not built.
func TestConsoleBill(t *testing.T) {
	source := t.TempDir()
	dist := filepath.Join(source, "server", "console", "dist")
	if err := os.MkdirAll(dist, 0o755); err != nil {
		t.Fatal(err)
	}
	if packages, err := consolePackages(source); err != nil || len(packages) > 0 {
		t.Errorf("a console that is not built has %v, %v", packages, err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dist, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("index.html", "")
	if _, err := consolePackages(source); err == nil {
		t.Error("a console of nobody knows what has a bill")
	}
	write("packages.json", `[{"name":"@tanstack/react-query","version":"5.108.0","license":"MIT"}]`)
	packages, err := consolePackages(source)
	if err != nil {
		t.Fatal(err)
	}
	got := script(packages[0])
	if got.PackageURL != "pkg:npm/%40tanstack/react-query@5.108.0" || got.Name != "@tanstack/react-query" || (*got.Licenses)[0].Expression != "MIT" {
		t.Errorf("%+v", got)
	}
}

func TestVersion(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), releasedBinary(t), "version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "plugboard v1.2.3") {
		t.Errorf("it says %q, %v", out, err)
	}
}

func TestRefusals(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "thesis"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	for want, got := range map[string]error{
		"is not empty":           release(t.Context(), repository, full, tested, nil),
		"want os/arch":           run(t.Context(), repository, full, []string{"linux"}),
		"want seconds since 197": run(t.Context(), repository, full, nil),
	} {
		if got == nil || !strings.Contains(got.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, got)
		}
	}
}
