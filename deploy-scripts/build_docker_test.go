package deployscripts_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// buildKit returns the path of a docker command that builds with BuildKit, by itself or with its plugin buildx: CodeBuild's
// images have one, and a machine may have several docker commands.
func buildKit(t *testing.T) string {
	t.Helper()
	for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(folder, "docker")
		cmd := exec.Command(path, "build", "--help")
		cmd.Env = append(os.Environ(), "DOCKER_BUILDKIT=1")
		if help, err := cmd.CombinedOutput(); err == nil && bytes.Contains(help, []byte("--secret")) {
			return path
		}
	}
	const none = "no docker command of this machine has BuildKit"
	if os.Getenv("CI") == "true" {
		t.Fatal(none)
	}
	t.Skip(none)
	return ""
}

// files calls visit with every file in a tar, and in any layer in it.
func files(t *testing.T, archive []byte, visit func(name string, content []byte)) {
	t.Helper()
	if zipped, err := gzip.NewReader(bytes.NewReader(archive)); err == nil {
		if archive, err = io.ReadAll(zipped); err != nil {
			t.Fatal(err)
		}
	}
	for in := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			return // no tar
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		visit(header.Name, content)
		files(t, content, visit)
	}
}

// layers returns the files of all layers of an image, by name.
func layers(t *testing.T, image string) map[string][]byte {
	t.Helper()
	saved, err := exec.Command("docker", "image", "save", image).Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	files(t, saved, func(name string, content []byte) { all[name] = content })
	return all
}

// TestBuildOfTheRepositorysRoot: the image has the commit's files, and none that the build writes, such as a login to ECR.
func TestBuildOfTheRepositorysRoot(t *testing.T) {
	t.Parallel()
	for name, makefile := range map[string]string{"no Makefile": "", "Makefile": "image:\n\tdocker build --tag '$(IMAGE)' .\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			var committed []string
			bundle := h.mustBuild(1, func(webapp string) {
				root := filepath.Dir(webapp)
				app(t, "root", "")(root)
				edit(t, filepath.Join(root, "Dockerfile"), "COPY app /app", "COPY . /src\nCOPY app /app")
				if makefile != "" {
					write(t, filepath.Join(root, "Makefile"), makefile)
				}
				committed = tree(t, root, "src/")
			}, "APP_PATH=.")
			var got []string
			for name, content := range layers(t, released(t, bundle)) {
				if strings.HasPrefix(name, "src/") && !strings.HasSuffix(name, "/") {
					got = append(got, name)
				}
				if bytes.Contains(content, []byte("HEALTH_SECONDS=180")) {
					t.Errorf("%s has the stack's settings", name)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, committed) {
				t.Errorf("the image has the files %q, want those of the commit, %q", got, committed)
			}
		})
	}
}

// tree lists the files in a folder, sorted, with a prefix.
func tree(t *testing.T, folder, prefix string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, prefix+strings.TrimPrefix(path, folder+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// TestBuildArgumentsSurvive: an argument's value reaches the image as it is, with either builder, and so does the target.
func TestBuildArgumentsSurvive(t *testing.T) {
	t.Parallel()
	const escaped, value = `two\nlines\r\nwith "quotes", 'quotes', \\n, $HOME and $(true)`, "two\nlines\r\nwith \"quotes\", 'quotes', \\n, $HOME and $(true)"
	for _, builder := range []string{"0", "1"} {
		t.Run("DOCKER_BUILDKIT="+builder, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			if builder == "1" {
				h.wrapDocker(`[[ "$1" != build ]] || real=` + buildKit(t))
			}
			h.settings += "BUILD_ARG VALUE=" + escaped + "\n"
			bundle := h.mustBuild(1, func(webapp string) {
				app(t, "arguments", "")(webapp)
				edit(t, filepath.Join(webapp, "Dockerfile"), "FROM scratch", "FROM scratch AS wanted\nARG VALUE\nENV VALUE=$VALUE")
				dockerfile, err := os.ReadFile(filepath.Join(webapp, "Dockerfile"))
				if err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(webapp, "docker", "other"), string(dockerfile)+"FROM scratch\nCOPY nothing /\n")
			}, "DOCKER_BUILDKIT="+builder, "DOCKERFILE=docker/other", "BUILD_TARGET=wanted", "IMAGE_VARIANT=0123abcd")
			var images []struct{ Config struct{ Env []string } }
			if err := json.Unmarshal([]byte(docker(t, "image inspect "+released(t, bundle))), &images); err != nil {
				t.Fatal(err)
			}
			if environment := images[0].Config.Env; !slices.Contains(environment, "VALUE="+value) {
				t.Errorf("the image has the variables %q, want one with %q", environment, value)
			}
		})
	}
}

// TestBuildSecretLeavesNoTrace: an instruction of the Dockerfile gets the secret, and then it is nowhere but in the environment
// in which CodeBuild puts it.
func TestBuildSecretLeavesNoTrace(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	calls := filepath.Join(t.TempDir(), "calls")
	h.wrapDocker(`printf '%s\n' "$@" >>` + calls + `
[[ "$1" != build ]] || real=` + buildKit(t))
	canary := "canary-" + rand.Text()
	secret := canary + "\n\"second\" 'line'\n"
	h.settings += "BUILD_SECRET TOKEN=\n"
	var source string
	bundle, output, err := h.build(commitID(1), func(webapp string) {
		source = filepath.Dir(webapp)
		app(t, "secret", "")(webapp)
		buildStatic(t, filepath.Join(webapp, "secret"), "./testdata/secret")
		// The secret's value does not count for BuildKit's cache, but app's content does.
		edit(t, filepath.Join(webapp, "Dockerfile"), "COPY app /app",
			"COPY app /app\nCOPY secret /secret\nRUN --mount=type=secret,id=TOKEN [\"/secret\"]")
	}, "BUILD_SECRET_TOKEN="+secret)
	if err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	image := released(t, bundle)
	found := layers(t, image)
	if want := fmt.Sprintf("%x", sha256.Sum256([]byte(secret))); string(found["proof"]) != want {
		t.Errorf("the build had another secret: its hash is %q, want %q", found["proof"], want)
	}
	for name, content := range found {
		if bytes.Contains(content, []byte(canary)) {
			t.Errorf("the image has the secret, in %s", name)
		}
	}
	recorded, err := os.ReadFile(calls)
	if err != nil || !bytes.Contains(recorded, []byte("id=TOKEN,env=BUILD_SECRET_TOKEN")) {
		t.Errorf("docker was not called with the secret (%v): %s", err, recorded)
	}
	for place, text := range map[string]string{
		"an argument": string(recorded), "the log": output, "the notes": h.notes,
		"the image's history": docker(t, "image history --no-trunc "+image), "the image's configuration": docker(t, "image inspect "+image),
	} {
		if strings.Contains(text, canary) {
			t.Errorf("%s has the secret:\n%s", place, text)
		}
	}
	for _, folder := range []string{bundle, source, h.home, h.tmp} {
		if out, _ := exec.Command("grep", "--recursive", "--files-with-matches", canary, folder).Output(); len(out) > 0 {
			t.Errorf("files with the secret: %s", out)
		}
	}
}

// TestEnvironmentNeverRebuilds: what does not shape the image reaches the host with the same image, and what does gets another.
func TestEnvironmentNeverRebuilds(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	first := h.mustBuild(1, app(t, "one", ""), "CODEBUILD_BUILD_ID=project:first")
	never := func(webapp string) { write(t, filepath.Join(webapp, "Makefile"), "test image:\n\texit 1\n") }

	h.settings += "ENVIRONMENT LEVEL=debug\nSECRET TOKEN=/cicd/dev/TOKEN\nRELEASE_COMMAND=./migrate\nPROCESS worker=./work\n"
	second := h.mustBuild(1, never, "CODEBUILD_BUILD_ID=project:second")
	if released(t, second) != released(t, first) {
		t.Errorf("released %s, want the image of the first build, %s", released(t, second), released(t, first))
	}
	for bundle, want := range map[string]string{first: settings, second: h.settings} {
		if got, err := os.ReadFile(filepath.Join(bundle, "settings.env")); err != nil || string(got) != want {
			t.Errorf("settings.env is %q (%v), want %q", got, err, want)
		}
	}
	for bundle, want := range map[string]string{first: "project:first", second: "project:second"} {
		if release, err := os.ReadFile(filepath.Join(bundle, "release.env")); !strings.HasSuffix(string(release), "\nBUILD_ID="+want+"\n") {
			t.Errorf("release.env is %q (%v), want the build's id as its last line", release, err)
		}
	}

	h.settings = settings + "BUILD_ARG A=1\n"
	third := h.mustBuild(1, app(t, "variant", ""), "IMAGE_VARIANT=0123abcd")
	if released(t, third) == released(t, first) {
		t.Error("another variant of the commit got the image of the first build")
	}
	if again := h.mustBuild(1, never, "IMAGE_VARIANT=0123abcd"); released(t, again) != released(t, third) {
		t.Errorf("released %s, want the variant's image, %s", released(t, again), released(t, third))
	}
}
