// Package deployscripts carries the files in its folder that run in CodeBuild and on hosts, for stacks whose
// application's repository does not have them (deployScripts: stack).
package deployscripts

import (
	"archive/tar"
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"time"
)

//go:embed appspec.yml build edge hooks
var files embed.FS

// Buildspec fetches the archive that the stack keeps, and runs what is in it.
//
//go:embed stack-buildspec.yml
var Buildspec string

//go:embed build/dockerfile.awk
var dockerfileProgram string

//go:embed build/images.awk
var imagesProgram string

// ImagesOfDockerfile returns the program for awk with which a build finds the images that its Dockerfile, the input, pulls; with
// -v of=docker-hub, those from there.
func ImagesOfDockerfile() string { return dockerfileProgram + imagesProgram }

// Archive returns the files as a tar that depends on nothing but their names and contents: it is not compressed, because
// versions of Go compress differently, and every change is a new object in S3. Modes are those that files have after
// CodePipeline zipped a commit, which keeps no executable bit.
func Archive() ([]byte, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error { // in lexical order
		if err != nil || d.IsDir() {
			return err
		}
		content, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		// The zip of a build's artifact cannot have times before 1980.
		header := tar.Header{Name: path, Mode: 0o644, Size: int64(len(content)), ModTime: time.Unix(1e9, 0), Format: tar.FormatUSTAR}
		if err := w.WriteHeader(&header); err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("archive of the deployment scripts: %w", err)
	}
	return archive.Bytes(), nil
}
