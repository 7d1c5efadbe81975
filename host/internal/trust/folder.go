package trust

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// compare checks a plugin's folder against the manifest: every file that was
// signed is there as it was, and no other. The plugin.json has been read
// before, and has this sum.
func compare(root *os.Root, m signedManifest, manifestSum [sha256.Size]byte) error {
	seen := map[string]bool{}
	err := walk(root, func(name string) error {
		if isSignature(name) {
			return nil
		}
		want, known := m.sum(name)
		if !known {
			return fmt.Errorf("the file %s is not among those that were signed", name)
		}
		seen[name] = true
		have, err := sumOf(root, name)
		if err != nil {
			return err
		}
		if have != want || name == "plugin.json" && want != manifestSum {
			return fmt.Errorf("the file %s is not the one that was signed", name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range sortedNames(m.Files) {
		if !seen[name] && !isSignature(name) {
			return fmt.Errorf("the file %s is missing, though it was signed", name)
		}
	}
	return nil
}

// isSignature: a signature cannot sign itself, and need not sign the other.
func isSignature(name string) bool {
	return name == ClearSigned || name == Detached || name == DetachedSignature
}

// walk calls visit with the name of every file of a folder, all the way down.
// A link to a file counts as that file; one to a folder has no place in a
// signed plugin, nor has anything else.
func walk(root *os.Root, visit func(name string) error) error {
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := root.Stat(name)
		switch {
		case err != nil:
			return fmt.Errorf("the file %s cannot be read, or is a link that leaves the folder: %w", name, err)
		case info.IsDir():
			return fmt.Errorf("%s is a link to a folder, which no signature covers", name)
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is no regular file", name)
		}
		return visit(name)
	})
}

func sumOf(root *os.Root, name string) (sum [sha256.Size]byte, err error) {
	file, err := root.Open(name)
	if err != nil {
		return sum, err
	}
	defer file.Close() //nolint:errcheck // only read
	return Sum(file)
}

// Sum returns the SHA-256 of what is left to read.
func Sum(r io.Reader) (sum [sha256.Size]byte, err error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, r); err != nil {
		return sum, errors.Join(errors.New("it cannot be read"), err)
	}
	return [sha256.Size]byte(hash.Sum(nil)), nil
}

func sortedNames(files map[string]string) []string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.SortFunc(names, strings.Compare)
	return names
}
