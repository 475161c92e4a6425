package automation

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const checkout = ".." // contains the tools module, which pins the engine

// project creates a project with the stacks dev and prod, and returns options to open dev with its own backend.
func project(t *testing.T, program pulumi.RunFunc, env map[string]string) Options {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Pulumi.yaml":      "name: cicd\nruntime: go\n",
		"Pulumi.dev.yaml":  "config: {}\n",
		"Pulumi.prod.yaml": "config: {}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]string{
		"PULUMI_BACKEND_URL":       "file://" + t.TempDir(),
		"PULUMI_HOME":              t.TempDir(),
		"PULUMI_CONFIG_PASSPHRASE": "test",
	}
	maps.Copy(all, env)
	return Options{ProjectDir: checkout, WorkDir: dir, Stack: "dev", Program: program, Env: all}
}

func open(t *testing.T, o Options) *Stack {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// locks returns the lock files in the backend of o.
func locks(t *testing.T, o Options) []string {
	t.Helper()
	var found []string
	root := filepath.Join(strings.TrimPrefix(o.Env["PULUMI_BACKEND_URL"], "file://"), ".pulumi", "locks")
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".json" {
			found = append(found, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return found
}

func TestLifeOfAStack(t *testing.T) {
	things, env := startProvider(t)
	size := 1
	var progress bytes.Buffer
	o := project(t, func(ctx *pulumi.Context) error {
		ctx.Export("url", pulumi.String("http://localhost"))
		ctx.Export("password", pulumi.ToSecret(pulumi.String("hunter2")))
		ctx.Export("nested", pulumi.Map{"inner": pulumi.ToSecret(pulumi.String("hunter2"))})
		return thing(ctx, "web", pulumi.Map{"size": pulumi.Int(size), "arn": pulumi.String("arn:test:web")})
	}, env)
	o.Progress = &progress
	s := open(t, o)

	if _, err := s.Drift(t.Context()); err == nil || !strings.Contains(err.Error(), "never been up") {
		t.Errorf("Drift before up: %v, want an error that says so", err)
	}
	if _, err := s.Outputs(t.Context()); err == nil || !strings.Contains(err.Error(), "never been up") {
		t.Errorf("Outputs before up: %v, want an error that says so", err)
	}
	steps := []struct {
		name     string
		do       func(context.Context) (Result, error)
		size     int
		changed  int
		progress string
	}{
		{"preview", s.Preview, 1, 2, "create   test:index:Thing"},
		{"up", s.Up, 1, 2, "create   test:index:Thing"},
		{"up again", s.Up, 1, 0, ""},
		{"no drift", s.Drift, 1, 0, ""},
		{"drift", func(ctx context.Context) (Result, error) {
			things.resized = 7
			defer func() { things.resized = 0 }()
			return s.Drift(ctx)
		}, 1, 1, "replace  test:index:Thing"},
		{"undeclared", s.Drift, 2, 1, "replace  test:index:Thing"},
		{"replacing preview", s.Preview, 2, 1, "replace  test:index:Thing"},
		{"replacing up", s.Up, 2, 1, "replace  test:index:Thing"},
		{"destroy", s.Destroy, 2, 2, "delete   test:index:Thing"},
	}
	for _, step := range steps {
		size = step.size
		progress.Reset()
		got, err := step.do(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got.Changed() != step.changed {
			t.Errorf("%s: changed %d resources (%v), want %d", step.name, got.Changed(), got.Changes, step.changed)
		}
		if out := progress.String(); !strings.Contains(out, step.progress) || step.progress == "" && out != "" {
			t.Errorf("%s: progress %q, want %q in it", step.name, out, step.progress)
		}
		for line := range strings.Lines(progress.String()) {
			if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 {
				t.Errorf("%s: line wider than 80 columns: %q", step.name, line)
			}
		}
		if step.name == "up" {
			checkOutputs(t, "Up", got.Outputs)
			outputs, err := s.Outputs(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			checkOutputs(t, "Outputs", outputs)
		}
		if known, err := s.Identifiers(t.Context()); step.name != "preview" && (err != nil || (known["id-of-web"] && known["arn:test:web"]) != (step.name != "destroy")) {
			t.Errorf("%s: knows %v, %v; want ID and ARN while there is a stack", step.name, known, err)
		}
	}
}

// TestSelectionStays opens and previews a stack, which must not select it for `pulumi` itself.
func TestSelectionStays(t *testing.T) {
	o := project(t, func(*pulumi.Context) error { return nil }, nil)
	if _, err := open(t, o).Preview(t.Context()); err != nil {
		t.Fatal(err)
	}
	selections, err := filepath.Glob(filepath.Join(o.Env["PULUMI_HOME"], "workspaces", "*"))
	if err != nil || len(selections) != 0 {
		t.Errorf("selections: %v, %v; want none", selections, err)
	}
}

func TestSetConfig(t *testing.T) {
	var seen string
	o := project(t, func(ctx *pulumi.Context) error {
		seen, _ = ctx.GetConfig("cicd:greeting")
		return nil
	}, nil)
	s := open(t, o)
	if err := s.SetConfig(t.Context(), map[string]string{"greeting": "hello", "other:key": "7"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Preview(t.Context()); err != nil {
		t.Fatal(err)
	}
	if seen != "hello" {
		t.Errorf("the program sees %q, want hello", seen)
	}
}

func checkOutputs(t *testing.T, from string, got map[string]any) {
	t.Helper()
	want := map[string]any{"url": "http://localhost", "password": "[secret]", "nested": "[secret]"}
	if !maps.Equal(got, want) {
		t.Errorf("%s: outputs %v, want %v", from, got, want)
	}
}
