// Command release builds what a release of Plugboard consists of: archives of
// the binary for each platform, bills of materials, and their checksums. The
// same commit and the same Go give the same bytes, wherever they are built.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	platforms := flag.String("platforms", "linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64", "what to build for")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: release [-platforms 'linux/amd64 …'] SOURCE DIST")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, flag.Arg(0), flag.Arg(1), strings.Fields(*platforms))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, source, dist string, names []string) error {
	var targets []platform
	for _, name := range names {
		p, err := parsePlatform(name)
		if err != nil {
			return err
		}
		targets = append(targets, p)
	}
	id, err := identify(ctx, source)
	if err != nil {
		return err
	}
	return release(ctx, source, dist, id, targets)
}

// platform is what a binary runs on.
type platform struct{ os, arch string }

func parsePlatform(name string) (platform, error) {
	goos, arch, ok := strings.Cut(name, "/")
	if !ok || goos == "" || arch == "" {
		return platform{}, fmt.Errorf("platform %q: want os/arch, such as linux/amd64", name)
	}
	return platform{goos, arch}, nil
}

func (p platform) String() string { return p.os + "_" + p.arch }

func (p platform) exe() string {
	if p.os == "windows" {
		return "plugboard.exe"
	}
	return "plugboard"
}

// identity is which Plugboard this is.
type identity struct {
	version, commit string
	// time is the only one that the release knows: the commit's, or that of
	// SOURCE_DATE_EPOCH.
	time time.Time
}

// identify asks git.
func identify(ctx context.Context, source string) (identity, error) {
	var answers [3]string
	for i, question := range [...][]string{
		{"describe", "--tags", "--always", "--dirty"},
		{"rev-parse", "HEAD"},
		{"log", "-1", "--format=%ct"},
	} {
		answer, err := output(ctx, source, nil, "git", question...)
		if err != nil {
			return identity{}, fmt.Errorf("which version this is: %w", err)
		}
		answers[i] = strings.TrimSpace(string(answer))
	}
	epoch := answers[2]
	if given := os.Getenv("SOURCE_DATE_EPOCH"); given != "" {
		epoch = given
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return identity{}, fmt.Errorf("SOURCE_DATE_EPOCH %q: want seconds since 1970", epoch)
	}
	return identity{answers[0], answers[1], time.Unix(seconds, 0).UTC()}, nil
}

// release fills dist, which must be empty or missing: PLATFORM/plugboard, the
// binary as it goes into the image; an archive and a bill of materials for each
// platform; and SHA256SUMS of these.
func release(ctx context.Context, source, dist string, id identity, targets []platform) error {
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return err
	}
	if there, err := os.ReadDir(dist); err != nil || len(there) > 0 {
		return fmt.Errorf("%s is not empty: remove it first", dist)
	}
	extras, err := extraFiles(ctx, source, id)
	if err != nil {
		return err
	}
	var published []string
	for _, p := range targets {
		made, err := releaseOne(ctx, source, dist, id, p, extras)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		published = append(published, made...)
	}
	return writeSums(dist, published)
}

// releaseOne returns the names of the files that are to be published.
func releaseOne(ctx context.Context, source, dist string, id identity, p platform, extras []file) ([]string, error) {
	binary := filepath.Join(dist, p.String(), p.exe())
	if err := build(ctx, source, binary, id, p); err != nil {
		return nil, err
	}
	licenses, err := licensesOf(ctx, source, binary)
	if err != nil {
		return nil, err
	}
	program, err := fileAt(binary, p.exe(), 0o755)
	if err != nil {
		return nil, err
	}
	files := append([]file{program, licenses}, extras...)
	if p.os == "linux" {
		unit, err := fileAt(filepath.Join(source, "packaging", "plugboard.service"), "plugboard.service", 0o644)
		if err != nil {
			return nil, err
		}
		files = append(files, unit)
	}
	name := fmt.Sprintf("plugboard_%s_%s", id.version, p)
	archive, pack := name+".tar.gz", packTar
	if p.os == "windows" {
		archive, pack = name+".zip", packZip
	}
	if err := writeArchive(filepath.Join(dist, archive), files, name, id.time, pack); err != nil {
		return nil, err
	}
	bill := name + ".cdx.json"
	if err := writeBill(source, binary, filepath.Join(dist, bill), id); err != nil {
		return nil, fmt.Errorf("bill of materials: %w", err)
	}
	fmt.Printf("%-14s %s %5.1f MB, unpacked %.1f MB\n", p, archive, sizeMB(filepath.Join(dist, archive)), float64(len(program.content))/1e6)
	return []string{archive, bill}, nil
}

func sizeMB(path string) float64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return float64(info.Size()) / 1e6
}

// output runs a program in dir, with these variables besides our own.
func output(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return out, nil
}
