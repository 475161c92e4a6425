package automation

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func TestErrorsOfAnOperation(t *testing.T) {
	p, env := startProvider(t)
	go func() { // the engine starts nothing after a failure, so the first two fail once both have started
		<-p.creating
		<-p.creating
		p.ready <- struct{}{}
		p.ready <- struct{}{}
	}()
	tests := []struct {
		name    string
		program pulumi.RunFunc
		want    string
	}{
		{
			"every failing resource",
			func(ctx *pulumi.Context) error {
				return errors.Join(
					thing(ctx, "repository", pulumi.Map{"waits": pulumi.Bool(true), "fails": pulumi.String("name too long\nwant 32 characters")}),
					thing(ctx, "bucket", pulumi.Map{"waits": pulumi.Bool(true), "fails": pulumi.String("name taken")}),
				)
			},
			`up of stack "dev":
  test:index:Thing repository: name too long
    want 32 characters
  test:index:Thing bucket: name taken`,
		},
		{
			"every violation that the program finds",
			func(*pulumi.Context) error {
				return errors.Join(errors.New(`branch "": wanted a name`), errors.New("keepImages 0: wanted 1 or more"))
			},
			`up of stack "dev":
  branch "": wanted a name
  keepImages 0: wanted 1 or more`,
		},
		{
			"credentials",
			func(ctx *pulumi.Context) error {
				return thing(ctx, "x", pulumi.Map{"fails": pulumi.String("No valid credential sources found.")})
			},
			`up of stack "dev":
  test:index:Thing x: No valid credential sources found.
  ` + awsCredentials,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := open(t, project(t, tt.program, env)).Up(t.Context())
			if err == nil || !sameLines(err.Error(), tt.want) {
				t.Errorf("Up:\n%v\nwant\n%s", err, tt.want)
			}
		})
	}
}

// sameLines compares texts regardless of the order of their messages, because resources are created concurrently.
func sameLines(a, b string) bool {
	sorted := func(s string) string {
		lines := strings.Split(s, "\n")
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	return sorted(a) == sorted(b)
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, o *Options)
		want   string
	}{
		{"unknown stack", func(_ *testing.T, o *Options) { o.Stack = "staging" },
			`stack "staging" does not exist; there is dev, prod. A new one begins with its Pulumi.<stack>.yaml`},
		{"path as stack", func(_ *testing.T, o *Options) { o.Stack = "../dev/" }, `stack "../dev/" does not exist`},
		{"no stack at all", func(t *testing.T, o *Options) { o.WorkDir = t.TempDir() }, "has no Pulumi.<stack>.yaml"},
		{"no backend", func(_ *testing.T, o *Options) {
			o.Env["PULUMI_BACKEND_URL"], o.Env["PULUMI_ACCESS_TOKEN"] = "", ""
		}, "To do: set PULUMI_ACCESS_TOKEN, or keep the state elsewhere"},
		{"broken project", func(t *testing.T, o *Options) {
			if err := os.WriteFile(filepath.Join(o.WorkDir, "Pulumi.yaml"), []byte("name: [\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "Pulumi.yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := project(t, func(*pulumi.Context) error { return nil }, nil)
			tt.change(t, &o)
			_, err := Open(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Open: %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// TestLocked runs a second update while the first is running.
func TestLocked(t *testing.T) {
	p, env := startProvider(t)
	o := project(t, func(ctx *pulumi.Context) error {
		return thing(ctx, "slow", pulumi.Map{"waits": pulumi.Bool(true)})
	}, env)
	first := open(t, o)
	if _, err := first.Preview(t.Context()); err != nil { // creates the stack in the backend
		t.Fatal(err)
	}
	second := open(t, o)
	ended := make(chan error, 1)
	go func() {
		_, err := first.Up(context.Background())
		ended <- err
	}()
	waitFor(t, p.creating, ended)

	_, err := second.Up(t.Context())
	if !errors.Is(err, ErrLocked) {
		t.Errorf("second up: %v, want ErrLocked", err)
	}
	for _, want := range []string{`stack "dev" is locked by another update`, "created by ", "cancel --stack dev"} {
		if err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("second up: %v, want %q in it", err, want)
		}
	}
	p.ready <- struct{}{}
	if err := <-ended; err != nil {
		t.Errorf("first up: %v", err)
	}
}
