package github

import (
	"archive/zip"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// archived returns the files in a commit's archive, and fails the test if one is not a plain file.
func archived(t *testing.T, r *Repository, commit string) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "source.zip")
	if err := r.Archive(t.Context(), commit, path); err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	files := map[string]string{}
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		if mode := f.Mode(); !mode.IsRegular() || mode&0o111 != 0 {
			t.Errorf("%s has mode %v, want that of a plain file", f.Name, mode)
		}
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		files[f.Name] = string(content)
	}
	return files
}

// TestArchiveKeepsNoAttributes covers what fails first on AWS: a script run by its executable bit, and one that reads
// through a link.
func TestArchiveKeepsNoAttributes(t *testing.T) {
	r := newRepository(t, func(Push) string { return "" })
	c := newCheckout(t)
	want := map[string]string{"webapp/check.sh": "#!/bin/sh\ngrep -q ok config.json\n", "webapp/default.json": `{"ok":1}`}
	c.commit("first", want)
	if err := os.Chmod(filepath.Join(c.dir, "webapp/check.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("default.json", filepath.Join(c.dir, "webapp/config.json")); err != nil {
		t.Fatal(err)
	}
	id := c.commit("a mode and a link", nil)
	c.git("push", "--quiet", r.Dir, "HEAD:refs/heads/main")
	want["webapp/config.json"] = "default.json"
	if got := archived(t, r, id); !maps.Equal(got, want) {
		t.Errorf("the archive has %q, want %q", got, want)
	}
	if left, err := filepath.Glob(filepath.Join(t.TempDir(), "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q (%v)", left, err)
	}
}

// TestArchiveHasNoSubmodules: the archive has the commit's own files, and the submodule's folder.
func TestArchiveHasNoSubmodules(t *testing.T) {
	r := newRepository(t, func(Push) string { return "" })
	other, c := newCheckout(t), newCheckout(t)
	other.commit("other", map[string]string{"shared.txt": "1"})
	c.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.dir, "web/shared files")
	id := c.commit("with a submodule", map[string]string{"a.txt": "1"})
	c.git("push", "--quiet", r.Dir, "HEAD:refs/heads/main")
	if got := slices.Sorted(maps.Keys(archived(t, r, id))); !slices.Equal(got, []string{".gitmodules", "a.txt"}) {
		t.Errorf("the archive has %q", got)
	}
	if got, err := r.Submodules(t.Context(), id); err != nil || !slices.Equal(got, []string{"web/shared files"}) {
		t.Errorf("Submodules = %q, %v", got, err)
	}
}
