package codebuild

import (
	"io/fs"
	"os"
	"path/filepath"
)

// listFiles returns everything under root except folders, as relative paths with slashes, in lexical order. It does
// not follow symbolic links to folders.
func listFiles(root string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, p)
		files = append(files, filepath.ToSlash(rel))
		return err
	})
	return files, err
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
