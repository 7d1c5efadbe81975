package host

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// shelf is the folder of a plugin's installed versions: one folder each, and a
// file that says which is current, and which was before. An empty name stands
// for the version in PluginDirs.
type shelf struct{ dir string }

// currentName is the file's.
const currentName = "current"

func (s shelf) chosen() (current, previous string, err error) {
	text, err := os.ReadFile(filepath.Join(s.dir, currentName))
	if err != nil {
		return "", "", err
	}
	current, previous, ok := strings.Cut(string(text), "\n")
	previous = strings.TrimSuffix(previous, "\n")
	for _, name := range []string{current, previous} {
		if !ok || name != "" && !filepath.IsLocal(name) || strings.ContainsAny(name, "/\\\n") {
			return "", "", fmt.Errorf("%s is broken", filepath.Join(s.dir, currentName))
		}
	}
	return current, previous, nil
}

// choose writes which version is current, at once or not at all, and removes
// all others but the one before.
func (s shelf) choose(current, previous string) error {
	file, err := os.CreateTemp(s.dir, ".current-*")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%s\n%s\n", current, previous)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(s.dir, currentName))
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	entries, err := os.ReadDir(s.dir)
	for _, entry := range entries {
		if name := entry.Name(); entry.IsDir() && name != current && name != previous {
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.dir, name)))
		}
	}
	return err
}

// take copies a folder, or what is in a zip file, into a new folder on the
// shelf.
func (s shelf) take(from string) (dir string, err error) {
	info, err := os.Stat(from)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return "", err
	}
	if dir, err = os.MkdirTemp(s.dir, ".incoming-*"); err != nil {
		return "", err
	}
	if info.IsDir() {
		err = os.CopyFS(dir, os.DirFS(from))
	} else {
		err = unzip(dir, from)
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("take %s: %w", from, err), os.RemoveAll(dir))
	}
	return dir, nil
}

// Beyond any real plugin.
const (
	mostFiles   = 20_000
	largestSize = 4 << 30
)

// unzip writes the files of a zip file below dir, and nothing outside it.
func unzip(dir, from string) error {
	archive, err := zip.OpenReader(from)
	if err != nil {
		return err
	}
	defer archive.Close() //nolint:errcheck // only read
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // nothing is buffered
	if len(archive.File) > mostFiles {
		return fmt.Errorf("it has %d files, which is more than a plugin has", len(archive.File))
	}
	left := int64(largestSize)
	for _, file := range archive.File {
		if err := unpack(root, file, &left); err != nil {
			return fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	return nil
}

func unpack(root *os.Root, file *zip.File, left *int64) error {
	name, mode := filepath.FromSlash(file.Name), file.Mode()
	switch {
	case !filepath.IsLocal(strings.TrimSuffix(name, string(filepath.Separator))):
		return errors.New("it leads out of the folder")
	case mode.IsDir():
		return root.MkdirAll(strings.TrimSuffix(name, string(filepath.Separator)), 0o755)
	case !mode.IsRegular():
		return errors.New("it is a link, or no regular file")
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	content, err := file.Open()
	if err != nil {
		return err
	}
	defer content.Close() //nolint:errcheck // only read
	into, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644|mode.Perm()&0o111)
	if err != nil {
		return err
	}
	n, err := io.Copy(into, io.LimitReader(content, *left+1))
	if *left -= n; *left < 0 {
		err = errors.New("it is larger than a plugin is")
	}
	return errors.Join(err, into.Close())
}
