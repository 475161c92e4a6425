package edit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Edit changes a working copy in dir.
type Edit func(dir string) error

// Write creates or replaces a file.
func Write(file, content string) Edit {
	return func(dir string) error {
		path := filepath.Join(dir, filepath.FromSlash(file))
		return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o755))
	}
}

// Replace replaces all occurrences of a text, or fails if there are none.
func Replace(file, old, new string) Edit {
	return func(dir string) error {
		content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
		if err != nil {
			return err
		}
		if !bytes.Contains(content, []byte(old)) {
			return fmt.Errorf("%s has no %q to replace", file, old)
		}
		return Write(file, string(bytes.ReplaceAll(content, []byte(old), []byte(new))))(dir)
	}
}

// Remove removes a file.
func Remove(file string) Edit {
	return func(dir string) error { return os.Remove(filepath.Join(dir, filepath.FromSlash(file))) }
}

// Mode sets a file's permissions.
func Mode(file string, m os.FileMode) Edit {
	return func(dir string) error { return os.Chmod(filepath.Join(dir, filepath.FromSlash(file)), m) }
}
