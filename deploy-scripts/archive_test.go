package deployscripts_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	deployscripts "cicd/deploy-scripts"
)

// The archive is all that runs, byte by byte, whenever it is made: otherwise every preview would show a change.
func TestArchive(t *testing.T) {
	archive, err := deployscripts.Archive()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := deployscripts.Archive(); err != nil || !bytes.Equal(archive, again) {
		t.Errorf("a second archive differs (%v)", err)
	}
	var got []string
	for in := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, header.Name)
		content, err := io.ReadAll(in)
		if want := readFile(t, filepath.FromSlash(header.Name)); err != nil || string(content) != want {
			t.Errorf("%s has other contents (%v)", header.Name, err)
		}
		if header.Mode != 0o644 || header.ModTime.Unix() != 1e9 || header.Uid != 0 || header.Uname != "" {
			t.Errorf("%s says more than its name and contents: %+v", header.Name, header)
		}
	}
	want := []string{"appspec.yml"}
	for _, folder := range []string{"build", "edge", "hooks"} {
		want = append(want, tree(t, folder, folder+"/")...)
	}
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("the archive has %q, want %q", got, want)
	}
}

// What the two buildspecs export and store is the same.
func TestStackBuildspecMakesTheSameBundle(t *testing.T) {
	type buildspec struct {
		Version   float64
		Env       any
		Artifacts any
	}
	var ours, stack buildspec
	readYAML(t, "buildspec.yml", &ours)
	readYAML(t, "stack-buildspec.yml", &stack)
	if text, want := marshal(t, stack), marshal(t, ours); text != want {
		t.Errorf("stack-buildspec.yml has %s, want %s", text, want)
	}
	// CodeBuild tells the text of a buildspec from a path; no manual says how.
	if raw, err := os.ReadFile("stack-buildspec.yml"); err != nil || !bytes.HasPrefix(raw, []byte("version: 0.2\n")) || deployscripts.Buildspec != string(raw) {
		t.Errorf("stack-buildspec.yml does not begin with its version (%v)", err)
	}
}
