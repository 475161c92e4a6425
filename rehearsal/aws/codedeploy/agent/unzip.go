package agent

import (
	"archive/zip"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// unzip extracts a zip archive as the agent does: with Info-ZIP's "unzip -qo", and where that complains, once more with
// rubyzip, which checks nothing (command_executor.rb, unpack_bundle). So names that leave the archive, wrong checksums
// and repeated names are no error. Only an entry below a symbolic link that leads outside is one here and not there.
func unzip(bundle, dir string) error {
	if info, err := os.Stat(bundle); err == nil && info.Size() == 0 {
		return &Failure{Code: UnknownError, Message: "File " + bundle + " has zero size. Did you mean to pass the create flag?"}
	}
	archive, err := zip.OpenReader(bundle)
	if errors.Is(err, zip.ErrFormat) {
		return &Failure{Code: UnknownError, Message: "Zip end of central directory signature not found"}
	}
	if err != nil {
		return fmt.Errorf("zip archive: %w", err)
	}
	defer archive.Close()
	archive.RegisterDecompressor(methodBzip2, func(r io.Reader) io.ReadCloser { return io.NopCloser(bzip2.NewReader(r)) })
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("zip archive: %w", err)
	}
	defer root.Close()
	var directories []*zip.File
	for _, file := range archive.File {
		if err := unzipEntry(root, file); err != nil {
			return unzipFailure(dir, file, err)
		}
		if strings.HasSuffix(file.Name, "/") {
			directories = append(directories, file)
		}
	}
	for _, file := range slices.Backward(directories) { // their modes come last, because they may forbid writing
		if mode, ok := unixMode(file); ok {
			if err := root.Chmod(unzipName(file.Name), mode); err != nil {
				return fmt.Errorf("zip archive: %s: %w", file.Name, err)
			}
		}
	}
	return nil
}

// methodBzip2 is the compression method that unzip knows and archive/zip does not.
const methodBzip2 = 12

// unzipFailure words what is an error to both of the agent's ways. What unzip cannot create, it takes for a full disk
// (its exit code 50), and the agent removes the archive.
func unzipFailure(dir string, file *zip.File, err error) error {
	switch {
	case errors.Is(err, zip.ErrAlgorithm):
		return &Failure{Code: UnknownError, Message: fmt.Sprintf("Unsupported compression method %d", file.Method)}
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.EISDIR):
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("zip archive: %w", err)
		}
		return &Failure{Code: UnknownError, Message: "The disk is (or was) full during extraction.",
			Hint: "the disk is not full: the archive's entry " + file.Name + " cannot be created here"}
	case errors.Is(err, syscall.EEXIST), errors.Is(err, syscall.ENOTDIR):
		return &Failure{Code: UnknownError, Message: "File exists @ dir_s_mkdir - " + filepath.Join(dir, filepath.Dir(unzipName(file.Name)))}
	}
	return fmt.Errorf("zip archive: %s: %w", file.Name, err)
}

// unzipName is where unzip puts an entry: without a leading slash, "." and ".." components and control characters; a
// name that is "." is "_" (unix.c, mapname). C ends it at a null character.
func unzipName(name string) string {
	name, _, _ = strings.Cut(name, "\x00")
	name = string(slices.DeleteFunc([]byte(name), func(c byte) bool { return c < ' ' || c == 0x7f })) // bytes, as C has
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		if part != "" && part != "." && part != ".." {
			parts = append(parts, part)
		}
	}
	switch {
	case len(parts) > 0:
		return filepath.Join(parts...)
	case strings.HasSuffix(name, "/"):
		return "."
	}
	return "_"
}

// unixMode is an entry's permissions, without set-id bits; ok is false if it comes from a system that has none.
func unixMode(file *zip.File) (mode fs.FileMode, ok bool) {
	const dos, unix, readOnly = 0, 3, 1 // "version made by", and an attribute of MS-DOS
	switch file.CreatorVersion >> 8 {
	case unix:
		return file.Mode().Perm(), true
	case dos:
		return 0o444, file.ExternalAttrs&readOnly != 0
	}
	return 0, false
}

func unzipEntry(root *os.Root, file *zip.File) error {
	name := unzipName(file.Name)
	if strings.HasSuffix(file.Name, "/") {
		return root.MkdirAll(name, 0o777)
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	content, err := file.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	if info, err := root.Lstat(name); err == nil && !info.IsDir() {
		if err := root.Remove(name); err != nil {
			return err
		}
	}
	if file.Mode()&os.ModeSymlink != 0 {
		target, err := io.ReadAll(content)
		if err != nil && !errors.Is(err, zip.ErrChecksum) {
			return err
		}
		if text, _, _ := strings.Cut(string(target), "\x00"); text != "" {
			return root.Symlink(text, name)
		} // without a target it stays a file
	}
	// A process forked while a script is open for writing keeps the script busy until it calls exec (ETXTBSY).
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	out, err := root.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	if _, err = io.Copy(out, content); errors.Is(err, zip.ErrChecksum) {
		err = nil
	}
	if mode, ok := unixMode(file); ok {
		err = errors.Join(err, out.Chmod(mode))
	}
	return errors.Join(err, out.Close())
}
