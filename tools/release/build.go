package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// fixed is what a build must not take from the environment of whoever builds.
// The workspace is left out, so that the sums of the server's own go.sum hold.
var fixed = []string{
	"GOWORK=off", "GOFLAGS=", "GOEXPERIMENT=", "GOFIPS140=off", "CGO_ENABLED=0", "GOAMD64=v1", "GOARM64=v8.0",
}

// build writes the static binary for p.
func build(ctx context.Context, source, binary string, id identity, p platform) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	env := append(slices.Clone(fixed), "GOOS="+p.os, "GOARCH="+p.arch)
	ldflags := fmt.Sprintf("-s -w -buildid= -X main.version=%s -X main.commit=%s", id.version, id.commit)
	_, err = output(ctx, filepath.Join(source, "server"), env,
		"go", "build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", binary, "./cmd/plugboard")
	return err
}

// extraFiles are what every archive holds beside the binary.
func extraFiles(ctx context.Context, source string, id identity) ([]file, error) {
	files, err := completions(ctx, source, id)
	if err != nil {
		return nil, fmt.Errorf("completions: %w", err)
	}
	for _, name := range []string{"LICENSE", "README.md"} {
		f, err := fileAt(filepath.Join(source, name), name, 0o644)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// completions asks a binary for this machine, which is thrown away.
func completions(ctx context.Context, source string, id identity) ([]file, error) {
	dir, err := os.MkdirTemp("", "release")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	here := platform{runtime.GOOS, runtime.GOARCH}
	binary := filepath.Join(dir, here.exe())
	if err := build(ctx, source, binary, id, here); err != nil {
		return nil, err
	}
	var files []file
	for shell, name := range map[string]string{
		"bash": "plugboard.bash", "zsh": "_plugboard", "fish": "plugboard.fish", "powershell": "plugboard.ps1",
	} {
		content, err := output(ctx, dir, nil, binary, "completion", shell)
		if err != nil {
			return nil, err
		}
		files = append(files, file{"completions/" + name, 0o644, content})
	}
	return files, nil
}
