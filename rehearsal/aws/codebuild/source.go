package codebuild

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// unzip extracts an archive into dir, which it creates, with modes and symbolic links. It writes nothing outside dir.
func unzip(archive, dir string) error {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("source archive: %w", err)
	}
	defer r.Close()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, f := range r.File {
		if err := extract(root, f); err != nil {
			return fmt.Errorf("source archive: %s: %w", f.Name, err)
		}
	}
	return nil
}

func extract(root *os.Root, f *zip.File) error {
	name := path.Clean(f.Name)
	if f.Mode().IsDir() {
		return root.MkdirAll(name, 0o755)
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	if f.Mode().Type() == fs.ModeSymlink {
		target, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		return root.Symlink(string(target), name)
	}
	out, err := root.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, f.Mode().Perm()|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// readBuildspec returns the project's buildspec and its name for errors: YAML in the project itself, or a file in the
// source, buildspec.yml by default.
func (b *build) readBuildspec() (name string, content []byte, err error) {
	declared := b.project.Source.Buildspec
	switch {
	case strings.Contains(declared, "\n") || strings.HasPrefix(declared, "{") || strings.HasPrefix(declared, "version:"):
		return "inline buildspec", []byte(declared), nil
	case strings.HasPrefix(declared, "arn:"):
		return "", nil, fmt.Errorf("buildspec %s: one in S3 cannot be rehearsed", declared)
	case declared == "":
		declared = "buildspec.yml"
	}
	if !filepath.IsLocal(declared) {
		return "", nil, fmt.Errorf("buildspec %s: not a path in the source folder", declared)
	}
	file := filepath.Join(b.sourceDir(), declared)
	b.log.say("YAML location is %s", file)
	content, err = os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("stat %s: no such file or directory; the project's source.buildspec names a file that is not in the source: %w", declared, err)
	}
	return declared, content, err
}
