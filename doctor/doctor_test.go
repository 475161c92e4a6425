package doctor

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cicd/automation"
	"cicd/internal/edit"
	"cicd/internal/testproject"
)

// stackIn is a stack of a project whose settings are valid, but for the changes.
func stackIn(dir string, changes map[string]string) Stack {
	config := map[string]string{"aws:region": "eu-central-1", "cicd:repository": "example/webapp"}
	maps.Copy(config, changes)
	return Stack{
		Dir: dir, Project: "cicd", Name: "dev", Config: config,
		Outputs: func(context.Context) (map[string]any, error) { return nil, nil },
		Address: func(context.Context) (string, error) { return "203.0.113.7", nil },
	}
}

// found makes one check, and returns its findings as "severity F-number message | remedy".
func found(t *testing.T, name string, stack Stack) []string {
	t.Helper()
	i := slices.IndexFunc(checks, func(c check) bool { return c.name == name })
	if i < 0 {
		t.Fatalf("there is no check of %s", name)
	}
	var texts []string
	for _, f := range checks[i].result(t.Context(), newSubject(t.Context(), stack)).Findings {
		texts = append(texts, strings.Join([]string{string(f.Severity), f.Failure, f.Message, "|", f.Remedy}, " "))
	}
	return texts
}

// wants checks that there is one finding for each text, with all of its parts, which are separated by " ... ".
func wants(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("found %q, want %d findings: %q", got, len(want), want)
	}
	for i, text := range want {
		rest, ok := got[i], true
		for part := range strings.SplitSeq(text, " ... ") {
			if _, rest, ok = strings.Cut(rest, part); !ok {
				t.Errorf("found %q, want %q", got[i], text)
				break
			}
		}
	}
}

// localCases are changes of a good project, and what the checks that need no network find then.
var localCases = []struct {
	name, check string
	config      map[string]string
	edits       []edit.Edit
	want        []string
}{
	{"short names", "names", nil, nil, nil},
	{"valid values", "values", nil, nil, nil},
	{"several wrong values", "values", map[string]string{"cicd:branch": "a b", "cicd:containerPort": "0", "cicd:instanceTyp": "t3.micro"}, nil,
		[]string{"error  branch", "error  containerPort", "error  instanceTyp: no such key ... | Correct it in Pulumi.dev.yaml"}},

	{"open ports", "URLs and egressPorts", map[string]string{"cicd:egressPorts": "[5432]",
		"cicd:environment": `{"DATABASE_URL": "postgres://u:hunter2@db.example.com/app", "API": "https://api.example.com", "LEVEL": "debug"}`}, nil, nil},
	{"a closed port", "URLs and egressPorts", map[string]string{"cicd:egressPorts": "[5432]",
		"cicd:environment": `{"CACHE": "redis://u:hunter2@cache.example.com", "DATABASE_URL": "postgres://db.example.com/app"}`}, nil,
		[]string{"warning F66 environment.CACHE ... port 6379 ... 'egressPorts[1]' 6379"}},

	{"a Dockerfile", "Dockerfile", nil, nil, nil},
	{"another appPath", "Dockerfile", map[string]string{"cicd:appPath": "apps/shop"}, nil, []string{"error  commit ... has no apps/shop/Dockerfile ... | Commit it"}},
	{"the repository's root", "Dockerfile", map[string]string{"cicd:appPath": ".", "cicd:dockerfile": "docker/prod"}, []edit.Edit{edit.Write("docker/prod", "FROM scratch\n")}, nil},

	{"no Docker Hub", "Docker Hub", nil, nil, nil},
	{"Docker Hub", "Docker Hub", map[string]string{"cicd:buildArgs": `{"BASE": "node:22"}`}, []edit.Edit{edit.Write("webapp/Dockerfile",
		"ARG BASE=public.ecr.aws/docker/library/node:22\nFROM $BASE AS build\nFROM acme/base\nCOPY --from=build /app /app\nCOPY --from=public.ecr.aws/x/y / /\n")},
		[]string{"warning F16 webapp/Dockerfile: node:22 ... Write public.ecr.aws/docker/library/node:22.", "warning F16 webapp/Dockerfile: acme/base ... in ECR"}},

	{"a whole bundle", "bundle", nil, nil, nil},
	{"no appspec", "bundle", nil, []edit.Edit{edit.Remove("deploy-scripts/appspec.yml")}, []string{"error F27 commit ... has no deploy-scripts/appspec.yml"}},
	{"an appspec of another name", "bundle", nil, []edit.Edit{edit.Remove("deploy-scripts/appspec.yml"), edit.Write("deploy-scripts/appspec.yaml", "version: 0.0\nos: linux\n")},
		[]string{"error F27 deploy-scripts/appspec.yaml ... appspec.yml | Rename it"}},
	{"an appspec that is left out", "bundle", nil, []edit.Edit{edit.Replace("deploy-scripts/buildspec.yml", "    - appspec.yml\n", "")},
		[]string{"error F27 deploy-scripts/buildspec.yml leaves deploy-scripts/appspec.yml out"}},
	{"a byte order mark", "bundle", nil, []edit.Edit{edit.Replace("deploy-scripts/appspec.yml", "# What CodeDeploy's agent", "\ufeff# What CodeDeploy's agent")},
		[]string{"error F57 deploy-scripts/appspec.yml has a byte order mark"}},
	{"a script that is missing", "bundle", nil, []edit.Edit{edit.Remove("deploy-scripts/hooks/start.sh")}, []string{"error F21 ... ApplicationStart runs hooks/start.sh, which commit"}},
	{"scripts that are left out", "bundle", nil, []edit.Edit{edit.Replace("deploy-scripts/buildspec.yml", "    - hooks/**/*\n", "    - hooks/start.sh\n")},
		[]string{"error F21 ... BeforeInstall runs hooks/prepare.sh, which deploy-scripts/buildspec.yml leaves out", "error F21 ... hooks/validate.sh"}},
	{"no buildspec", "bundle", nil, []edit.Edit{edit.Remove("deploy-scripts/buildspec.yml")}, []string{"error F27 commit ... has no deploy-scripts/buildspec.yml"}},
	{"a buildspec that is no YAML", "bundle", nil, []edit.Edit{edit.Write("deploy-scripts/buildspec.yml", "a: [")}, []string{"error F27 deploy-scripts/buildspec.yml: yaml: "}},
	{"a bundle that the build makes", "bundle", nil, []edit.Edit{edit.Replace("deploy-scripts/buildspec.yml", "base-directory: deploy-scripts", "base-directory: dist")},
		[]string{"unchecked F27 deploy-scripts/buildspec.yml puts the bundle together in a way of its own"}},
	{"other commands", "bundle", nil, []edit.Edit{edit.Replace("deploy-scripts/buildspec.yml", "bash deploy-scripts/build/bundle.sh", "make bundle"), edit.Remove("deploy-scripts/appspec.yml")},
		[]string{"unchecked F27 ... in a way of its own"}},
	{"a class of characters", "bundle", nil, []edit.Edit{edit.Replace("deploy-scripts/buildspec.yml", "hooks/**/*", "./hooks/[a-z]*.sh")}, nil},
	{"the stack's scripts", "bundle", map[string]string{"cicd:deployScripts": "stack"}, []edit.Edit{edit.Remove("deploy-scripts/appspec.yml")}, nil},

	{"LF", "line ends", nil, nil, nil},
	{"CR LF", "line ends", nil, []edit.Edit{edit.Replace("deploy-scripts/hooks/start.sh", "#!/bin/bash\n", "#!/bin/bash\r\n")},
		[]string{"error F28 deploy-scripts/hooks/start.sh has 1 carriage returns ... eol=lf"}},

	{"the declared toolchain", "toolchain", nil, nil, nil},
	{"Go that is too old", "toolchain", nil, []edit.Edit{edit.Replace("deploy-scripts/buildspec.yml", "golang: 1.26", "golang: 1.20")},
		[]string{"error F54 webapp/go.mod asks for golang 1. ... , and the build has 1.20.14 ... Name golang: 1."}},
	{"Go that fetches a newer one", "toolchain", nil, []edit.Edit{edit.Replace("deploy-scripts/buildspec.yml", "golang: 1.26", "golang: 1.21")}, nil},
	{"an unknown version", "toolchain", nil, []edit.Edit{edit.Replace("deploy-scripts/buildspec.yml", "golang: 1.26", "golang: 1.26\n      python: latest.1")},
		[]string{"error F54 deploy-scripts/buildspec.yml: Unknown runtime version named 'latest.1'"}},
	{"an unknown runtime", "toolchain", nil, []edit.Edit{edit.Replace("deploy-scripts/buildspec.yml", "golang: 1.26", "golang: 1.26\n      swift: 6")},
		[]string{"error F54 deploy-scripts/buildspec.yml: Unknown runtime named 'swift'"}},
	{"other languages", "toolchain", nil, []edit.Edit{edit.Write("webapp/package.json", `{"engines": {"node": ">=22.1"}}`), edit.Write("webapp/.nvmrc", "v18\n"),
		edit.Write("webapp/pyproject.toml", "[project]\nrequires-python = \">=3.13\"\n"), edit.Write("webapp/.ruby-version", "3.3.1\n")},
		[]string{"warning F54 webapp/package.json asks for nodejs 22.1, and the build has 18.20.8 | Name nodejs: 22 ", "warning F54 webapp/pyproject.toml ... python 3.13 ... 3.11.15",
			"warning F54 webapp/.ruby-version ... Name ruby: 3.3 under runtime-versions"}},
	{"an older version, exactly", "toolchain", nil, []edit.Edit{edit.Write("webapp/.nvmrc", "16.20")}, []string{"warning F54 webapp/.nvmrc asks for nodejs 16.20, and the build has 18.20.8"}},
	{"an older version, at least", "toolchain", nil, []edit.Edit{edit.Write("webapp/package.json", `{"engines": {"node": ">=16"}}`)}, nil},
	{"an older version, and no newer one", "toolchain", nil, []edit.Edit{edit.Write("webapp/package.json", `{"engines": {"node": "^16.1"}}`)},
		[]string{"warning F54 webapp/package.json asks for nodejs 16.1, and"}},
	{"what the buildspec names for them", "toolchain", nil, []edit.Edit{edit.Write("webapp/package.json", `{"engines": {"node": ">=22.1"}}`),
		edit.Replace("deploy-scripts/buildspec.yml", "golang: 1.26", "golang: 1.26\n      nodejs: 22")}, nil},
	{"a version in a variable", "toolchain", nil, []edit.Edit{edit.Write("webapp/.nvmrc", "22"), edit.Replace("deploy-scripts/buildspec.yml", "golang: 1.26", "golang: 1.26\n      nodejs: $NODE")}, nil},
	{"built in its Dockerfile", "toolchain", nil, []edit.Edit{edit.Write("webapp/.nvmrc", "99"), edit.Remove("webapp/Makefile")}, nil},
}

// TestLocal: what needs neither a network nor credentials.
func TestLocal(t *testing.T) {
	t.Parallel()
	for _, tt := range localCases {
		t.Run(tt.check+"/"+tt.name, func(t *testing.T) {
			t.Parallel()
			dir := testproject.New(t)
			testproject.Apply(t, dir, tt.edits...)
			if len(tt.edits) > 0 {
				testproject.Commit(t, dir, "A change")
			}
			wants(t, found(t, tt.check, stackIn(dir, tt.config)), tt.want...)
		})
	}
}

// TestLongName: the stack's name does not fit, and that is said once.
func TestLongName(t *testing.T) {
	stack := stackIn(t.TempDir(), map[string]string{"cicd:keepImages": "1"})
	stack.Name = "a-stack-with-a-name-that-is-too-long"
	wants(t, found(t, "names", stack), "error F5 stack name ... | Begin another stack")
	wants(t, found(t, "values", stack), "error  keepImages")
}

// TestNotTheCommit: what is not committed is not released, and another repository's checkout says nothing.
func TestNotTheCommit(t *testing.T) {
	dir := testproject.New(t)
	testproject.Apply(t, dir, edit.Write("webapp/Containerfile", "FROM scratch\n"))
	stack := stackIn(dir, map[string]string{"cicd:dockerfile": "Containerfile"})
	wants(t, found(t, "Dockerfile", stack), "error  commit ... has no webapp/Containerfile")
	testproject.Commit(t, dir, "A Dockerfile")
	wants(t, found(t, "Dockerfile", stack))
	testproject.Git(t, dir, "remote", "add", "origin", "git@gitlab.example.com:example/webapp.git")
	wants(t, found(t, "Dockerfile", stack), "unchecked  ... is no checkout of example/webapp ... | run it in a clone of example/webapp")
	testproject.Git(t, dir, "remote", "add", "upstream", "https://token@github.com/Example/webapp")
	wants(t, found(t, "Dockerfile", stack))
	wants(t, found(t, "Dockerfile", stackIn(t.TempDir(), nil)), "unchecked  ... has no commit to look at: git rev-parse")
}

// TestRemotes: by which URLs Git reaches which repository on GitHub.
func TestRemotes(t *testing.T) {
	for url, want := range map[string]string{
		"https://github.com/acme/shop.git": "acme/shop", "https://token@github.com/acme/shop/": "acme/shop", "https://u:p@GitHub.com/acme/shop": "acme/shop",
		"git@github.com:acme/shop.git": "acme/shop", "ssh://git@github.com/acme/shop.git": "acme/shop", "ssh://git@ssh.github.com:443/acme/shop.git": "acme/shop",
		"github-work:acme/shop.git": "acme/shop", "git@work:acme/shop": "acme/shop",
		"https://gitlab.com/acme/shop.git": "", "git@gitlab.com:acme/shop.git": "", "/srv/git/acme/shop.git": "", "../acme/shop": "", "https://github.com/acme": "",
		"https://github.com.example.com/acme/shop": "",
	} {
		got := ""
		if match := githubRemote.FindStringSubmatch(url); match != nil {
			got = match[1]
		}
		if got != want {
			t.Errorf("%s leads to %q, want %q", url, got, want)
		}
	}
}

// TestEncrypted: the value of an encrypted key is unknown, and its default is not taken for it.
func TestEncrypted(t *testing.T) {
	stack := stackIn(testproject.New(t), nil)
	stack.Encrypted = []string{"cicd:branch"}
	wants(t, found(t, "branch", stack), "unchecked F3 branch is encrypted ... | it is no secret: `pulumi config set branch VALUE --plaintext --stack dev`")
}

// TestInvalidSettings: no check works with settings that the program rejects, and none says that all is well. The names are,
// and credentials are told about at once as well.
func TestInvalidSettings(t *testing.T) {
	newCloud(t)
	stack := stackIn(testproject.New(t), map[string]string{"cicd:branch": "a b"})
	for _, result := range Examine(t.Context(), stack) {
		if well := result.Name == "names" || result.Name == "credentials"; (len(result.Findings) == 0) != well {
			t.Errorf("%s finds %+v in settings that are not valid", result.Name, result.Findings)
		}
	}
	delete(stack.Config, "aws:region")
	wants(t, found(t, "credentials", stack), "unchecked  aws:region is missing or encrypted, see above")
}

func TestOperator(t *testing.T) {
	stack := stackIn(t.TempDir(), nil)
	wants(t, found(t, "operatorIp", stack))
	for ip, want := range map[string][]string{
		"203.0.113.7":     nil,
		"203.0.113.0/24":  nil,
		"198.51.100.0/24": {"warning  operatorIp is 198.51.100.0/24, and this machine's address is 203.0.113.7 ... cicd doctor --fix --stack dev"},
	} {
		wants(t, found(t, "operatorIp", stackIn(t.TempDir(), map[string]string{"cicd:operatorIp": ip})), want...)
	}
	stack = stackIn(t.TempDir(), map[string]string{"cicd:operatorIp": "198.51.100.1"})
	for answer, want := range map[string]string{"2001:db8::1": "unchecked  ... IPv4 only", "<html>": "unchecked  this machine's address is unknown"} {
		stack.Address = func(context.Context) (string, error) { return answer, nil }
		wants(t, found(t, "operatorIp", stack), want)
	}
	stack.Address = func(context.Context) (string, error) { return "", errors.New("no network") }
	wants(t, found(t, "operatorIp", stack), "unchecked  this machine's address is unknown: no network")
}

// TestThisProject: the project itself is as its own doctor wants it.
func TestThisProject(t *testing.T) {
	dir := testproject.New(t)
	config, err := automation.ReadConfig(dir, "dev")
	if err != nil {
		t.Fatal(err)
	}
	stack := stackIn(dir, config.Values)
	for _, c := range checks {
		if c.area == "Settings" || c.area == "Repository" {
			wants(t, found(t, c.name, stack))
		}
	}
}

// TestBranch asks a repository on this machine, which Git takes for GitHub.
func TestBranch(t *testing.T) {
	remote := testproject.New(t)
	dir := filepath.Join(t.TempDir(), "checkout")
	testproject.Git(t, "", "clone", "--quiet", remote, dir)
	testproject.Git(t, dir, "remote", "set-url", "origin", "https://hunter2@github.com/example/webapp.git")
	testproject.Git(t, dir, "config", "url."+remote+".insteadOf", "https://hunter2@github.com/example/webapp.git")
	wants(t, found(t, "branch", stackIn(dir, nil)))
	got := found(t, "branch", stackIn(dir, map[string]string{"cicd:branch": "release"}))
	wants(t, got, "error F3 example/webapp has no branch release ... git push https://github.com/example/webapp.git HEAD:release")
	if strings.Contains(got[0], "hunter2") {
		t.Errorf("it shows the token of a remote: %s", got[0])
	}
	testproject.Git(t, dir, "config", "--unset", "url."+remote+".insteadOf")
	testproject.Git(t, dir, "config", "url.http://hunter3@127.0.0.1:1/.insteadOf", "https://hunter2@github.com/")
	got = found(t, "branch", stackIn(dir, nil))
	wants(t, got, "unchecked F3 branch main of example/webapp: git ls-remote: fatal: ... | check `repository`")
	if strings.Contains(got[0], "hunter") {
		t.Errorf("it shows a token: %s", got[0])
	}
}
