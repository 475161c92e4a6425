package github

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hostile are settings that people have for other repositories, each of which stops a rehearsal, or changes what it
// releases, if it takes effect there.
var hostile = []struct {
	name     string
	settings string // the user's, as in ~/.gitconfig
	env      string // a variable of the user; ~ is their home in both
	own      bool   // also affects the user's own pushes to GitHub
}{
	{name: "none"},
	{name: "hooks elsewhere", settings: "[core]\nhooksPath = /nowhere\n"},
	{name: "no implicit bare repository", settings: "[safe]\nbareRepository = explicit\n"},
	{name: "no local protocol", settings: "[protocol \"file\"]\nallow = never\n", own: true},
	{name: "no protocol", settings: "[protocol]\nallow = never\n", own: true},
	{name: "other protocols", env: "GIT_ALLOW_PROTOCOL=ssh:https", own: true},
	{name: "a filter that fails", settings: "[filter \"lfs\"]\nsmudge = false\nclean = cat\nrequired = true\n"},
	{name: "a filter that changes", settings: "[filter \"lfs\"]\nsmudge = rev\nclean = rev\n"},
	{name: "sha256 by setting", settings: "[init]\ndefaultObjectFormat = sha256\n"},
	{name: "sha256 by variable", env: "GIT_DEFAULT_HASH=sha256"},
	{name: "line ends of Windows", settings: "[core]\nautocrlf = true\n"},
	{name: "ignored files", settings: "[core]\nexcludesFile = ~/xdg/git/ignore\n"},
	{name: "settings and ignored files elsewhere", env: "XDG_CONFIG_HOME=~/xdg"},
	{name: "settings of the machine", env: "GIT_CONFIG_SYSTEM=~/xdg/git/config"},
	{name: "signed commits", settings: "[commit]\ngpgSign = true\n[tag]\ngpgSign = true\n[gpg]\nprogram = false\n"},
	{name: "signed pushes", settings: "[push]\ngpgSign = true\n", own: true},
	{name: "push options", settings: "[push]\npushOption = ci.skip\n"},
	{name: "tags with each push", settings: "[push]\nfollowTags = true\n"},
	{name: "submodules first", settings: "[push]\nrecurseSubmodules = only\n", own: true},
	{name: "no name", settings: "[user]\nuseConfigOnly = true\n"},
	{name: "bad date", env: "GIT_AUTHOR_DATE=yesterday-ish"},
	{name: "another repository", env: "GIT_DIR=/nowhere"},
	{name: "settings by variable", env: "GIT_CONFIG_PARAMETERS='core.hooksPath'='/nowhere' 'core.autocrlf'='true'"},
	{name: "templates", settings: "[init]\ntemplateDir = ~/template\n"},
	{name: "templates by variable", env: "GIT_TEMPLATE_DIR=~/template"},
	{name: "strict branches", settings: "[receive]\ndenyNonFastForwards = true\ndenyDeletes = true\n"},
}

// TestSettings takes a commit of the user's and one of the rehearsal's through everything done with a repository.
func TestSettings(t *testing.T) {
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			c := newCheckout(t) // created before the user had these settings
			files := map[string]string{".gitattributes": "*.lfs filter=lfs\n", "big.lfs": "pointer\n", "run.sh": "#!/bin/sh\necho\n"}
			first := c.commit("first", files)
			c.git("tag", "--annotate", "--message", "v1", "v1")
			useSettings(t, tt.settings, tt.env)

			pushes := make(chan Push, 8)
			r := newRepository(t, func(p Push) string { pushes <- p; return "" })
			if _, err := UserGit(t.Context(), c.dir, "rev-parse", "HEAD"); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Push(t.Context(), c.dir, "HEAD", "main"); err != nil {
				t.Fatalf("the checkout's push: %v", err)
			}
			if tags, err := Git(t.Context(), r.Dir, "tag"); err != nil || tags != "" {
				t.Errorf("pushed too: %s, %v", tags, err)
			}
			second := releaseClone(t, r, files)
			want := []Push{{"main", "", first}, {"main", first, second}}
			if !tt.own {
				third := pushAsUser(t, r, c)
				want = append(want, Push{"feature", "", third}, Push{"feature", third, first})
				for _, revision := range []string{"+" + first, ""} {
					if _, err := r.Push(t.Context(), c.dir, revision, "feature"); err != nil {
						t.Errorf("push of %q: %v", revision, err)
					}
				}
			}
			if got := all(pushes); !slices.Equal(got, want) {
				t.Errorf("received %q, want %q", got, want)
			}
		})
	}
}

// useSettings gives the user who runs this test these settings.
func useSettings(t *testing.T, settings, env string) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	here := func(text string) string { return strings.ReplaceAll(text, "~", home) }
	for file, content := range map[string]string{
		".gitconfig": here(settings), "xdg/git/config": "[core]\nautocrlf = true\n", "xdg/git/ignore": "*\n",
		"template/hooks/pre-receive": "#!/bin/sh\nexit 1\n", "template/hooks/pre-commit": "#!/bin/sh\nexit 1\n",
		"template/config": "[core]\nautocrlf = true\n", "template/info/exclude": "*\n",
	} {
		path := filepath.Join(home, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if name, value, ok := strings.Cut(here(env), "="); ok {
		t.Setenv(name, value)
	}
}

// releaseClone pushes a new file from a clone, and checks what the repository says about it. It returns the commit.
func releaseClone(t *testing.T, r *Repository, files map[string]string) string {
	t.Helper()
	c := checkout{t, filepath.Join(t.TempDir(), "clone")}
	git := func(args ...string) string {
		out, err := Git(t.Context(), c.dir, args...)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out)
	}
	if _, err := Git(t.Context(), "", "clone", "--quiet", r.Dir, c.dir); err != nil {
		t.Fatal(err)
	}
	if branch := git("symbolic-ref", "--short", "HEAD"); branch != "main" {
		t.Errorf("the clone has %s checked out, want main", branch)
	}
	const name, content = "übung.txt", "one\ntwo\n"
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	git("add", "--all")
	git("commit", "--quiet", "--message", "second")
	id := git("rev-parse", "HEAD")
	if _, err := r.Push(t.Context(), c.dir, "HEAD", "main"); err != nil {
		t.Fatalf("the clone's push: %v", err)
	}
	head, err := r.Head(t.Context(), "main")
	if err != nil || head.ID != id || head.Message != "second" {
		t.Errorf("Head = %+v, %v, want %s", head, err, id)
	}
	changed, err := r.ChangedFiles(t.Context(), Push{"main", git("rev-parse", "HEAD~"), id})
	if err != nil || len(changed) != 1 || changed[0] != name {
		t.Errorf("changed files %q, %v, want %q", changed, err, name)
	}
	want := maps.Clone(files)
	want[name] = content
	if got := archived(t, r, id); !maps.Equal(got, want) {
		t.Errorf("the archive has %q, want %q", got, want)
	}
	return id
}

// pushAsUser pushes a new commit of the checkout as its user does, and returns it.
func pushAsUser(t *testing.T, r *Repository, c checkout) string {
	t.Helper()
	id := c.commit("third", map[string]string{"own.txt": "3\n"})
	cmd := exec.Command("git", "push", r.Dir, "HEAD:refs/heads/feature")
	cmd.Dir, cmd.Env = c.dir, userEnvironment()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the user's push: %v\n%s", err, out)
	}
	return id
}
