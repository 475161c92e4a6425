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
	"regexp"
	"slices"
	"strings"

	"cicd/internal/buildglob"
)

// artifactFile is a file in the build's output.
type artifactFile struct {
	name string // in the archive, with slashes
	path string // on disk
}

// selectArtifacts returns the files in src that the buildspec's artifacts section selects, each once, and logs the
// search as CodeBuild does. It skips named files that do not exist; if it finds none at all, that is an error.
func selectArtifacts(a Artifacts, src string, log *logPipe) ([]artifactFile, error) {
	log.say("Expanding base directory path: %s", a.BaseDirectory)
	bases, err := expandBase(a.BaseDirectory, src)
	if err != nil {
		return nil, err
	}
	if len(bases) == 0 {
		return nil, contextError{"CLIENT_ERROR", fmt.Errorf("no matching base directory path found for %s", a.BaseDirectory)}
	}
	excludes, err := globPatterns(excludePatterns(a.ExcludePaths))
	if err != nil {
		return nil, err
	}
	var files []artifactFile
	taken := map[string]string{}
	for _, base := range bases {
		log.say("Expanding file paths for base directory %s", base)
		found, err := expandFiles(a.Files, filepath.Join(src, base), excludes, log)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if a.DiscardPaths {
				f.name = path.Base(f.name)
			}
			if other, twice := taken[f.name]; twice && other != f.path {
				log.say("%s and %s are both %s in the artifact; the first is kept", other, f.path, f.name)
			} else if !twice {
				taken[f.name] = f.path
				files = append(files, f)
			}
		}
	}
	if len(files) == 0 {
		return nil, contextError{"CLIENT_ERROR", errors.New("no matching artifact paths found")}
	}
	log.say("Found %d file(s)", len(files))
	return files, nil
}

// expandBase returns the folders that match a base directory, relative to src.
func expandBase(pattern, src string) ([]string, error) {
	if filepath.IsAbs(pattern) {
		rel, err := filepath.Rel(src, pattern) // people write "$CODEBUILD_SRC_DIR/x"
		if err != nil {
			return nil, err
		}
		pattern = rel
	}
	if !filepath.IsLocal(pattern) {
		return nil, contextError{"CLIENT_ERROR", fmt.Errorf("artifacts.base-directory %s is outside the source folder, which a rehearsal does not read", pattern)}
	}
	matches, err := filepath.Glob(filepath.Join(globQuote(src), pattern))
	if err != nil {
		return nil, contextError{"CLIENT_ERROR", fmt.Errorf("artifacts.base-directory %s: %v", pattern, err)}
	}
	var bases []string
	for _, m := range matches {
		if rel, err := filepath.Rel(src, m); err == nil && isDir(m) {
			bases = append(bases, rel)
		}
	}
	return bases, nil
}

// globQuote makes filepath.Glob take a path literally.
func globQuote(p string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(p)
}

func globPatterns(patterns []string) ([]*regexp.Regexp, error) {
	var all []*regexp.Regexp
	for _, pattern := range patterns {
		re, err := buildglob.Compile(buildglob.Clean(pattern))
		if err != nil {
			return nil, contextError{"CLIENT_ERROR", fmt.Errorf("path %s: %v", pattern, err)}
		}
		all = append(all, re)
	}
	return all, nil
}

// excludePatterns adds a rule of the guide: "**/file-name/**/*" excludes the file too. Not so for a pattern in place
// of the name, because "**/.*/**/*" excludes dot folders and leaves dot files to "**/.*".
func excludePatterns(patterns []string) []string {
	all := slices.Clone(patterns)
	for _, pattern := range patterns {
		if thing, ok := strings.CutSuffix(pattern, "/**/*"); ok && !strings.ContainsAny(path.Base(thing), "*?[") {
			all = append(all, thing)
		}
	}
	return all
}

func expandFiles(patterns []string, base string, excludes []*regexp.Regexp, log *logPipe) ([]artifactFile, error) {
	log.say("Assembling file list")
	names, err := listFiles(base)
	if err != nil {
		return nil, fmt.Errorf("artifacts: %w", err)
	}
	var found []artifactFile
	for _, pattern := range patterns {
		log.say("Expanding %s", pattern)
		res, err := globPatterns([]string{strings.TrimPrefix(pattern, base+"/")})
		if err != nil {
			return nil, err
		}
		before := len(found)
		for _, name := range names {
			if res[0].MatchString(name) && !matchesAny(excludes, name) {
				found = append(found, artifactFile{name: name, path: filepath.Join(base, filepath.FromSlash(name))})
			}
		}
		if len(found) == before && !strings.ContainsAny(pattern, "*?[") {
			log.say("Skipping invalid file path %s", pattern)
		}
	}
	return found, nil
}

func matchesAny(patterns []*regexp.Regexp, name string) bool {
	for _, re := range patterns {
		if re.MatchString(name) {
			return true
		}
	}
	return false
}

// writeArtifact writes the files and their modes to a zip archive. A symbolic link stays one if symlinks is set and
// it points inside src; otherwise the archive has its target, or nothing if that is a folder or missing.
func writeArtifact(archive string, files []artifactFile, src string, symlinks bool) (err error) {
	out, err := os.OpenFile(archive, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := zip.NewWriter(out)
	for _, f := range files {
		if err := addToArchive(w, f, src, symlinks); err != nil {
			return fmt.Errorf("artifact file %s: %w", f.name, err)
		}
	}
	return w.Close()
}

func addToArchive(w *zip.Writer, f artifactFile, src string, symlinks bool) error {
	info, err := os.Lstat(f.path)
	if err != nil {
		return err
	}
	var content io.Reader
	if info.Mode().Type() == fs.ModeSymlink {
		target, err := os.Readlink(f.path)
		if err != nil {
			return err
		}
		if symlinks && pointsInside(src, f.path, target) {
			content = strings.NewReader(target)
		} else if info, err = os.Stat(f.path); err != nil || info.IsDir() {
			return nil
		}
	}
	if content == nil {
		if !info.Mode().IsRegular() {
			return nil // a socket or a pipe has no content
		}
		file, err := os.Open(f.path)
		if err != nil {
			return err
		}
		defer file.Close()
		content = file
	}
	header, err := zip.FileInfoHeader(info)
	if err != nil {
		return err
	}
	header.Name, header.Method = f.name, zip.Deflate
	entry, err := w.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(entry, content)
	return err
}

func pointsInside(src, link, target string) bool {
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(link), target)
	}
	rel, err := filepath.Rel(src, target)
	return err == nil && filepath.IsLocal(rel)
}
