package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// file is one that goes into an archive.
type file struct {
	name    string
	mode    fs.FileMode
	content []byte
}

func fileAt(path, name string, mode fs.FileMode) (file, error) {
	content, err := os.ReadFile(path)
	return file{name, mode, content}, err
}

// packer writes files in this order, each of this time and nobody's.
type packer func(w io.Writer, files []file, at time.Time) error

// writeArchive packs the files into one folder, sorted by name.
func writeArchive(target string, files []file, folder string, at time.Time, pack packer) error {
	inside := make([]file, 0, len(files))
	for _, f := range files {
		inside = append(inside, file{path.Join(folder, f.name), f.mode, f.content})
	}
	slices.SortFunc(inside, func(a, b file) int { return strings.Compare(a.name, b.name) })
	out, err := os.Create(target)
	if err != nil {
		return err
	}
	return errors.Join(pack(out, inside, at), out.Close())
}

func packTar(w io.Writer, files []file, at time.Time) error {
	zipped, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(zipped)
	for _, f := range files {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: f.name, Mode: int64(f.mode), Size: int64(len(f.content)),
			ModTime: at, Uname: "root", Gname: "root", Format: tar.FormatUSTAR,
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(f.content); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), zipped.Close())
}

func packZip(w io.Writer, files []file, at time.Time) error {
	archive := zip.NewWriter(w)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at}
		header.SetMode(f.mode)
		entry, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := entry.Write(f.content); err != nil {
			return err
		}
	}
	return archive.Close()
}

// writeSums writes what sha256sum -c reads.
func writeSums(dist string, names []string) error {
	var sums strings.Builder
	for _, name := range slices.Sorted(slices.Values(names)) {
		content, err := os.ReadFile(filepath.Join(dist, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), name)
	}
	return os.WriteFile(filepath.Join(dist, "SHA256SUMS"), []byte(sums.String()), 0o644)
}
