package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// image is what packaging/Dockerfile makes of a dist folder.
type image struct {
	root     string
	env      []string
	uid, gid int
	command  []string
	health   []string
	volumes  []string
}

// buildImage does what the Dockerfile says, of what it says: any other
// instruction fails the test. It needs no Docker and so cannot fetch the base;
// in its place is a tree with what the distroless image is known to have.
func buildImage(t *testing.T, dist string) image {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "packaging", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	i := image{root: t.TempDir()}
	var entry, arguments []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") || line == "\n" {
			continue
		}
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.ReplaceAll(rest, "${TARGETARCH}", runtime.GOARCH)
		switch instruction {
		case "ARG", "EXPOSE":
		case "FROM":
			i.base(t)
		case "COPY":
			i.copy(t, dist, strings.Fields(rest))
		case "ENV":
			i.env = append(i.env, strings.Fields(rest)...)
		case "VOLUME":
			i.volumes = append(i.volumes, rest)
		case "USER":
			uid, gid, _ := strings.Cut(rest, ":")
			i.uid, i.gid = number(t, uid), number(t, gid)
		case "HEALTHCHECK":
			_, command, _ := strings.Cut(rest, "CMD ")
			i.health = words(t, command)
		case "ENTRYPOINT":
			entry = words(t, rest)
		case "CMD":
			arguments = words(t, rest)
		default:
			t.Fatalf("the test does not know %s", instruction)
		}
	}
	i.command = append(entry, arguments...)
	return i
}

// base lays out what matters of gcr.io/distroless/static-debian12:nonroot, and
// the mount points that every container has.
func (i *image) base(t *testing.T) {
	t.Helper()
	for _, dir := range []string{"dev", "etc", "home/nonroot", "proc", "tmp", "usr/bin"} {
		if err := os.MkdirAll(filepath.Join(i.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	users := "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"
	if err := os.WriteFile(filepath.Join(i.root, "etc/passwd"), []byte(users), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (i *image) copy(t *testing.T, dist string, args []string) {
	t.Helper()
	if len(args) != 3 || args[0] != "--chmod=755" {
		t.Fatalf("the test does not know COPY %q", args)
	}
	content, err := os.ReadFile(filepath.Join(dist, args[1]))
	if err == nil {
		err = os.WriteFile(filepath.Join(i.root, args[2]), content, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func words(t *testing.T, list string) (all []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(list), &all); err != nil {
		t.Fatalf("%s: %v: without a shell, a list is needed", list, err)
	}
	return all
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%q: %v: Kubernetes must see that it is not root", text, err)
	}
	return n
}
