package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// licensesOf is one file with the license texts of Go and of every module in a
// binary: most of them ask to be handed on with it.
func licensesOf(ctx context.Context, source, binary string) (file, error) {
	modules, err := modulesOf(binary)
	if err != nil {
		return file{}, err
	}
	root, err := output(ctx, source, nil, "go", "env", "GOROOT")
	if err != nil {
		return file{}, err
	}
	folders, err := moduleFolders(ctx, source, modules)
	if err != nil {
		return file{}, err
	}
	var text bytes.Buffer
	err = appendLicenses(&text, "Go", strings.TrimSpace(string(root)))
	for _, m := range modules {
		err = errors.Join(err, appendLicenses(&text, m.String(), folders[m]))
	}
	return file{"THIRD_PARTY_LICENSES", 0o644, text.Bytes()}, err
}

// moduleFolders is where the modules' files are on this machine.
func moduleFolders(ctx context.Context, source string, modules []module) (map[module]string, error) {
	args := []string{"mod", "download", "-json"}
	for _, m := range modules {
		args = append(args, m.String())
	}
	answer, err := output(ctx, filepath.Join(source, "server"), fixed, "go", args...)
	if err != nil {
		return nil, err
	}
	folders := map[module]string{}
	for decoder := json.NewDecoder(bytes.NewReader(answer)); ; {
		var found struct{ Path, Version, Dir string }
		if err := decoder.Decode(&found); errors.Is(err, io.EOF) {
			return folders, nil
		} else if err != nil {
			return nil, fmt.Errorf("go mod download: %w", err)
		}
		folders[module{found.Path, found.Version}] = found.Dir
	}
}

// appendLicenses fails if there is none to append.
func appendLicenses(text *bytes.Buffer, name, folder string) error {
	entries, err := os.ReadDir(folder) // sorted
	if err != nil {
		return fmt.Errorf("license of %s: %w", name, err)
	}
	before := text.Len()
	for _, entry := range entries {
		if entry.IsDir() || !isLicense(entry.Name()) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(text, "=== %s: %s\n\n%s\n", name, entry.Name(), content)
	}
	if text.Len() == before {
		return fmt.Errorf("%s has no license file in %s", name, folder)
	}
	return nil
}

func isLicense(name string) bool {
	return slices.ContainsFunc([]string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT"}, func(start string) bool {
		return strings.HasPrefix(strings.ToUpper(name), start)
	})
}
