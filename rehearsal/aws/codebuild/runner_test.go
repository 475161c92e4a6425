package codebuild

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/secretsmanager"
	"cicd/rehearsal/aws/ssm"
)

const (
	testRole  = "arn:aws:iam::123456789012:role/build"
	testImage = "aws/codebuild/amazonlinux-x86_64-standard:5.0"
)

// fixture is a declared project and what a test changes of it before the build.
type fixture struct {
	runner     *Runner
	properties map[string]any // of the project
	source     map[string]string
	input      Input
	log        bytes.Buffer
	artifact   map[string]string // name in the archive -> content
	modes      map[string]os.FileMode
}

func newFixture(t *testing.T, buildspec string) *fixture {
	t.Helper()
	acct := account.New("123456789012")
	acct.SetRegion("eu-central-1")
	put := func(token, name string, properties map[string]any) {
		acct.Put(account.Resource{Type: token, Name: name, URN: name, ID: name, Properties: properties})
	}
	put(account.Role, "role", map[string]any{
		"arn": testRole, "name": "build",
		"assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"codebuild.amazonaws.com"}}]}`,
	})
	put(account.RolePolicy, "policy", map[string]any{
		"role":   "build",
		"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:*","ssm:*","secretsmanager:*"],"Resource":"*"}]}`,
	})
	dir := t.TempDir()
	f := &fixture{
		source: map[string]string{"buildspec.yml": buildspec},
		properties: map[string]any{
			"name": "demo", "arn": "arn:aws:codebuild:eu-central-1:123456789012:project/demo", "serviceRole": testRole,
			"source":      map[string]any{"type": "CODEPIPELINE"},
			"artifacts":   map[string]any{"type": "CODEPIPELINE"},
			"environment": map[string]any{"type": "LINUX_CONTAINER", "image": testImage, "privilegedMode": true},
		},
		input: Input{ProjectName: "demo", SourceVersion: "arn:aws:s3:::artifacts/demo.zip", ResolvedSourceVersion: "0123abc", Initiator: "codepipeline/demo"},
	}
	authority := iam.NewAuthority(acct)
	f.runner = &Runner{
		Account: acct, Authority: authority, Log: logTo(&f.log),
		Parameters: ssm.New(acct, authority), Secrets: secretsmanager.New(acct, authority),
		Dir: filepath.Join(dir, "builds"), CacheDir: filepath.Join(dir, "cache"),
		Environment: func(iam.Session) []string { return []string{"PATH=" + os.Getenv("PATH"), "FROM_HOST=yes"} },
	}
	archive := filepath.Join(dir, "source.zip")
	f.input.Fetch = func(s iam.Session) (string, error) {
		if s.RoleARN != testRole {
			t.Errorf("Fetch got the session of %q", s.RoleARN)
		}
		return archive, writeZip(archive, f.source)
	}
	f.input.Store = func(_ iam.Session, path string) error { return f.readArtifact(path) }
	return f
}

// logTo has every build log to w.
func logTo(w io.Writer) func(string) io.WriteCloser {
	return func(string) io.WriteCloser { return nopCloser{w} }
}

// build runs the build and checks what holds for every build: that it leaves no file in its folder.
func (f *fixture) build(t *testing.T, ctx context.Context) (*Build, error) {
	t.Helper()
	f.runner.Account.Put(account.Resource{Type: account.Project, Name: "demo", URN: "demo", ID: "demo", Properties: f.properties})
	f.log.Reset()
	b, err := f.runner.StartBuild(ctx, f.input)
	if left, _ := filepath.Glob(filepath.Join(f.runner.Dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if b != nil && (err == nil) != (b.Status == "SUCCEEDED") {
		t.Errorf("status %s with error %v", b.Status, err)
	}
	return b, err
}

func (f *fixture) mustBuild(t *testing.T) *Build {
	t.Helper()
	b, err := f.build(t, t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, &f.log)
	}
	return b
}

func (f *fixture) readArtifact(path string) error {
	r, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer r.Close()
	f.artifact, f.modes = map[string]string{}, map[string]os.FileMode{}
	for _, file := range r.File {
		in, err := file.Open()
		if err != nil {
			return err
		}
		content, err := io.ReadAll(in)
		if err != nil {
			return err
		}
		f.artifact[file.Name], f.modes[file.Name] = string(content), file.Mode()
	}
	return nil
}

func (f *fixture) artifactNames() []string { return slices.Sorted(maps.Keys(f.artifact)) }

// writeZip writes an archive; names that end in ".sh" are executable.
func writeZip(path string, files map[string]string) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	w := zip.NewWriter(out)
	for name, content := range files {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		header.SetMode(0o644)
		if strings.HasSuffix(name, ".sh") {
			header.SetMode(0o755)
		}
		entry, err := w.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(entry, content); err != nil {
			return err
		}
	}
	return w.Close()
}

// phases returns the phases of a build as "BUILD FAILED" and so on, without the first two.
func phases(b *Build) []string {
	var all []string
	for _, p := range b.Phases[2:] {
		all = append(all, p.Name+" "+p.Status)
	}
	return all
}

// printed returns the lines of the log that commands printed.
func (f *fixture) printed() []string {
	var lines []string
	for line := range strings.Lines(f.log.String()) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && !strings.HasPrefix(line, "[Container] ") {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestLogsNeedPermission(t *testing.T) {
	const group = "arn:aws:logs:eu-central-1:123456789012:log-group:/demo"
	tests := []struct {
		name, policy string // a statement's actions and resource
		declared     bool   // the log group
		status       string // of logsConfig.cloudwatchLogs
		want         string // "" when the build succeeds
	}{
		{"declared group", `"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"` + group + `:*"`, true, "ENABLED", ""},
		{"undeclared group", `"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"` + group + `:*"`, false, "ENABLED", "logs:CreateLogGroup"},
		{"other group", `"Action":"logs:*","Resource":"arn:aws:logs:*:*:log-group:/other:*"`, true, "ENABLED", "logs:CreateLogStream"},
		{"no writing", `"Action":"logs:CreateLogStream","Resource":"*"`, true, "ENABLED", "logs:PutLogEvents"},
		{"disabled", `"Action":"sns:Publish","Resource":"*"`, false, "DISABLED", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, spec("", "true"))
			f.properties["logsConfig"] = map[string]any{"cloudwatchLogs": map[string]any{"status": tt.status, "groupName": "/demo"}}
			f.runner.Account.Put(account.Resource{Type: account.RolePolicy, Name: "policy", URN: "policy", ID: "policy", Properties: map[string]any{
				"role": "build", "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + tt.policy + `}]}`}})
			if tt.declared {
				f.runner.Account.Put(account.Resource{Type: account.LogGroup, Name: "group", URN: "group", ID: "/demo", Properties: map[string]any{"name": "/demo"}})
			}
			_, err := f.build(t, t.Context())
			if (err == nil) != (tt.want == "") {
				t.Fatalf("error = %v, want %q", err, tt.want)
			}
			if err != nil && !(strings.Contains(err.Error(), "Phase: QUEUED, Code: ACCESS_DENIED, Message: Service role "+testRole) && strings.Contains(err.Error(), "is not authorized to perform: "+tt.want)) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}
