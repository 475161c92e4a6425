package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFits(t *testing.T) {
	tests := map[string]bool{
		"aws-cli/1.28.85 Python/3.11.7 Linux/6.1 botocore/1.30.4": false,
		"aws-cli/1.29.0 Python/3.11.7 Linux/6.1 botocore/1.31.0":  true,
		"aws-cli/1.45.11 Python/3.11.7 Linux/6.1":                 true,
		"aws-cli/2.12.7 Python/3.11.4 Linux/6.1 exe/x86_64":       false,
		"aws-cli/2.13.0 Python/3.11.4 Linux/6.1 exe/x86_64":       true,
		"aws-cli/3.0.0 Python/3.14.0":                             true,
		"":                                                        false,
		"aws: error: something with aws-cli/2.20.1 in it":         false,
	}
	for version, want := range tests {
		if got := fits(version); got != want {
			t.Errorf("fits(%q) = %t, want %t", version, got, want)
		}
	}
}

// Find skips what is too old, what fails in this environment, and what is not a program.
func TestFind(t *testing.T) {
	bin := func(mode os.FileMode, script string) (dir string) {
		dir = t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "aws"), []byte("#!/bin/sh\n"+script+"\n"), mode); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	directory := t.TempDir()
	if err := os.Mkdir(filepath.Join(directory, "aws"), 0o755); err != nil {
		t.Fatal(err)
	}
	tooOld := bin(0o755, "echo aws-cli/1.18.0 Python/2.7 >&2")
	shim := bin(0o755, `[ -n "$VERSIONS" ] && echo aws-cli/2.20.0 Python/3.12`)
	noProgram := bin(0o644, "echo aws-cli/2.20.0 Python/3.12")
	fit := bin(0o755, "echo aws-cli/2.15.1 Python/3.12")

	tests := []struct {
		name string
		path []string
		env  string
		want string
	}{
		{"last of all", []string{"", t.TempDir(), directory, tooOld, shim, noProgram, fit}, "", fit},
		{"a shim that has what it needs", []string{shim, fit}, "VERSIONS=here", shim},
		{"none", []string{tooOld, shim, noProgram}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := []string{"PATH=/nowhere", "PATH=" + strings.Join(tt.path, ":"), tt.env}
			path, ok := Find(env)
			want := ""
			if tt.want != "" {
				want = filepath.Join(tt.want, "aws")
			}
			if path != want || ok != (want != "") {
				t.Errorf("Find() = %q, %t, want %q", path, ok, want)
			}
		})
	}
}
