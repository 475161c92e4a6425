package codebuild

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/aws/iam"
)

func TestArtifacts(t *testing.T) {
	// The tree of the guide's examples, plus hidden and nested files.
	const tree = `mkdir -p my-build1 my-build2/my-subdirectory .git/x deep/er && echo 1 > my-build1/my-file1.txt && echo 2 > my-build2/my-file2.txt && ` +
		`echo 3 > my-build2/my-subdirectory/my-file3.txt && echo d > deep/er/.dot && echo g > .git/x/y && mkdir empty && rm buildspec.yml`
	tests := []struct {
		name, artifacts string
		want            []string
		wantErr         string
	}{
		{"everything", "{files: ['**/*']}", []string{".git/x/y", "deep/er/.dot", "my-build1/my-file1.txt", "my-build2/my-file2.txt", "my-build2/my-subdirectory/my-file3.txt"}, ""},
		{"guide: one base directory", "{files: ['*/my-file3.txt'], base-directory: my-build2}", []string{"my-subdirectory/my-file3.txt"}, ""},
		{"guide: base directories, discarded paths", "{files: ['**/*'], base-directory: 'my-build*', discard-paths: yes}", []string{"my-file1.txt", "my-file2.txt", "my-file3.txt"}, ""},
		{"single star stays in its folder", "{files: ['my-build2/*']}", []string{"my-build2/my-file2.txt"}, ""},
		{"recursive below a folder", "{files: ['my-build2/**/*']}", []string{"my-build2/my-file2.txt", "my-build2/my-subdirectory/my-file3.txt"}, ""},
		{"a class of two ranges", "{files: ['my-build[0-13-9]/*']}", []string{"my-build1/my-file1.txt"}, ""},
		{"brackets and braces that are none", "{files: ['my-build1/*', 'a[', 'my-build{1,2}/*']}", []string{"my-build1/my-file1.txt"}, ""},
		{"one that is missing", "{files: [nothing.txt, ./my-build1/my-file1.txt]}", []string{"my-build1/my-file1.txt"}, ""},
		{"the same twice", "{files: ['my-build1/*', 'my-build1/my-file1.txt']}", []string{"my-build1/my-file1.txt"}, ""},
		{"exclude dot folders", "{files: ['**/*'], exclude-paths: '**/.*/**/*'}", []string{"deep/er/.dot", "my-build1/my-file1.txt", "my-build2/my-file2.txt", "my-build2/my-subdirectory/my-file3.txt"}, ""},
		{"exclude dot files", "{files: ['deep/**/*', 'my-build1/*'], exclude-paths: ['**/.*']}", []string{"my-build1/my-file1.txt"}, ""},
		{"exclude a file from all directories", "{files: ['my-build?/**/*'], exclude-paths: ['**/my-file3.txt/**/*', '**/my-file1.txt/**/*']}", []string{"my-build2/my-file2.txt"}, ""},
		{"exclude relative to the base", "{files: ['**/*'], base-directory: my-build2, exclude-paths: ['my-subdirectory/**/*']}", []string{"my-file2.txt"}, ""},
		{"variables", "{files: ['$WHICH.txt'], base-directory: '${CODEBUILD_SRC_DIR}/my-build1'}", []string{"my-file1.txt"}, ""},
		{"nothing found", "{files: ['*.jar']}", nil, "Phase: UPLOAD_ARTIFACTS, Code: CLIENT_ERROR, Message: no matching artifact paths found"},
		{"no such base", "{files: ['**/*'], base-directory: cdk.out}", nil, "no matching base directory path found for cdk.out"},
		{"base outside", "{files: ['**/*'], base-directory: ../..}", nil, "outside the source folder"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, spec("", tree, "WHICH=my-file1")+"artifacts: "+tt.artifacts+"\n")
			_, err := f.build(t, t.Context())
			if (err == nil) != (tt.wantErr == "") || err != nil && !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("error = %v, want %q", err, tt.wantErr)
			}
			if got := f.artifactNames(); !slices.Equal(got, tt.want) {
				t.Errorf("artifact has %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestArtifactModesAndLinks(t *testing.T) {
	for _, preserve := range []string{"no", "yes"} {
		t.Run("enable-symlinks "+preserve, func(t *testing.T) {
			f := newFixture(t, spec("", "echo secret > ../outside; mkdir dir; echo x > dir/x; chmod 600 dir/x; ln -s dir/x inside; ln -s ../outside outside; ln -s nowhere dangling; ln -s dir dirlink; mkfifo fifo")+
				"artifacts: {files: ['**/*'], enable-symlinks: "+preserve+"}\n")
			f.source["hooks/start.sh"] = "#!/bin/sh\n"
			f.mustBuild(t)
			want := map[string]fs.FileMode{"buildspec.yml": 0o644, "hooks/start.sh": 0o755, "dir/x": 0o600, "inside": 0o600, "outside": 0o644}
			content := "x\n"
			if preserve == "yes" {
				want["inside"], want["dirlink"], want["dangling"] = fs.ModeSymlink|0o777, fs.ModeSymlink|0o777, fs.ModeSymlink|0o777
				content = "dir/x"
			}
			for name, mode := range want {
				if f.modes[name] != mode {
					t.Errorf("%s has mode %v, want %v", name, f.modes[name], mode)
				}
			}
			if len(f.modes) != len(want) || f.artifact["inside"] != content {
				t.Errorf("artifact has %q", f.artifact)
			}
		})
	}
}

func TestStoreFails(t *testing.T) {
	f := newFixture(t, spec("", "true")+"artifacts: {files: '*'}\n")
	denied := errors.New("AccessDenied: Access Denied")
	f.input.Store = func(iam.Session, string) error { return denied }
	if _, err := f.build(t, t.Context()); !errors.Is(err, denied) || !strings.Contains(err.Error(), "Error in UPLOAD_ARTIFACTS phase: AccessDenied") {
		t.Errorf("error = %v", err)
	}
}

func TestSource(t *testing.T) {
	t.Run("inline buildspec", func(t *testing.T) {
		f := newFixture(t, "")
		f.properties["source"] = map[string]any{"type": "CODEPIPELINE", "buildspec": spec("", "echo inline; ./run.sh")}
		f.source["run.sh"] = "#!/bin/sh\necho executable\n"
		f.mustBuild(t)
		if got := f.printed(); !slices.Equal(got, []string{"inline", "executable"}) {
			t.Errorf("printed %q", got)
		}
	})
	t.Run("buildspec elsewhere", func(t *testing.T) {
		f := newFixture(t, "")
		f.properties["source"] = map[string]any{"type": "CODEPIPELINE", "buildspec": "deploy-scripts/buildspec.yml"}
		f.source["deploy-scripts/buildspec.yml"] = spec("", "ls -d deploy-scripts")
		f.mustBuild(t)
	})
	refused := map[string]struct {
		change func(*fixture)
		want   string
	}{
		"no buildspec":               {func(f *fixture) { delete(f.source, "buildspec.yml"); f.source["x"] = "" }, "Phase: DOWNLOAD_SOURCE, Code: YAML_FILE_ERROR, Message: stat buildspec.yml: no such file or directory"},
		"buildspec outside":          {func(f *fixture) { f.properties["source"].(map[string]any)["buildspec"] = "../x.yml" }, "not a path in the source folder"},
		"buildspec in S3":            {func(f *fixture) { f.properties["source"].(map[string]any)["buildspec"] = "arn:aws:s3:::b/x.yml" }, "one in S3 cannot be rehearsed"},
		"archive that leads outside": {func(f *fixture) { f.source["../../evil"] = "x" }, "../../evil"},
		"no archive": {func(f *fixture) {
			f.input.Fetch = func(iam.Session) (string, error) { return "", errors.New("AccessDenied: Access Denied") }
		}, "Code: CLIENT_ERROR, Message: AccessDenied: Access Denied for primary source and source version arn:aws:s3:::artifacts/demo.zip"},
		"wrong value":     {func(f *fixture) { f.source["buildspec.yml"] += "artifacts: {name: x}\n" }, "Phase: DOWNLOAD_SOURCE, Code: YAML_FILE_ERROR, Message: buildspec.yml: line 7: artifacts: files is required"},
		"no such role":    {func(f *fixture) { f.properties["serviceRole"] = "arn:aws:iam::123456789012:role/other" }, "Phase: QUEUED, Code: INVALID_SERVICE_ROLE, Message: CodeBuild is not authorized to perform: sts:AssumeRole"},
		"no such project": {func(f *fixture) { f.input.ProjectName = "other" }, `CodeBuild project "other": ResourceNotFoundException`},
		"kind of project": {func(f *fixture) {
			f.properties["vpcConfig"] = map[string]any{"vpcId": "vpc-1"}
			f.properties["environment"].(map[string]any)["type"] = "WINDOWS_SERVER_2022_CONTAINER"
		}, "environment.type is \"WINDOWS_SERVER_2022_CONTAINER\": only ARM_CONTAINER and LINUX_CONTAINER can be rehearsed\nvpcConfig cannot be rehearsed"},
	}
	for name, tt := range refused {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, spec("", "echo never"))
			tt.change(f)
			if _, err := f.build(t, t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v\nwant %q", err, tt.want)
			}
			if len(f.printed()) != 0 {
				t.Errorf("ran commands:\n%s", &f.log)
			}
		})
	}
}
