// Package rmtree removes folders that os.RemoveAll cannot remove for a user other than root.
package rmtree

import (
	"io/fs"
	"os"
	"path/filepath"
)

// Remove removes a folder and its contents, whatever the modes of its folders: those of Go's module cache, for
// example, are read-only. A folder that does not exist is not an error.
func Remove(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			os.Chmod(path, 0o700) // before it is read
		}
		return nil
	})
	return os.RemoveAll(dir)
}
