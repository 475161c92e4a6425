package deployscripts_test

import (
	"strings"
	"testing"
)

// TestPruneWithDockerCLI29 has a host whose Docker CLI does not list images without a tag, the default since version 29
// (https://github.com/docker/cli/issues/6574). Images that were pulled by digest have none.
func TestPruneWithDockerCLI29(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.wrapDocker(`[[ "$1 $2" != "image ls" || " $* " == *" --all "* ]] || exit 0`)
	for i, version := range []string{"one", "two", "three"} {
		h.mustDeploy(h.mustBuild(i+1, app(t, version, "")))
	}
	images := docker(t, "image ls --all --digests --format {{.Digest}} "+h.registry+"/team/app")
	if got := strings.Count(images, "sha256:"); got != 2 {
		t.Errorf("%d released images are kept, want 2, the running and the previous one:\n%s", got, images)
	}
}

// TestPruneWithAnyDocker has images as the versions of Docker list them. The first ones with containerd's image store take the
// filter "reference" for a name with a tag (moby v24, daemon/containerd/image_list.go, setupFilters).
func TestPruneWithAnyDocker(t *testing.T) {
	t.Parallel()
	digest := func(c string) string { return "registry.example.com:5000/team/app@sha256:" + strings.Repeat(c, 64) }
	rows := strings.Join([]string{"<none>@<none>", "debian@" + strings.Repeat("9", 64), digest("a"), digest("b"), digest("c"), digest("c")}, "\n")
	for name, list := range map[string]string{
		"20.10":                      `echo "$rows"`,
		"24 with containerd's store": `[[ "$*" == *reference=* ]] || echo "$rows"`,
		"29":                         `[[ "$*" != *--all* ]] || echo "$rows"`,
	} {
		t.Run(name, func(t *testing.T) {
			before := "APP_NAME=x WORK=/nowhere rows='" + rows + "'\nlog() { :; }\n" + `docker() {
				case "$1 $2" in
					'container ls') echo "x-8080 ` + digest("a") + ` ` + digest("b") + `" ;;
					'image ls') ` + list + ` ;;
					'image rm') echo "removed $3" >&3 ;;
				esac
			}
			exec 3>&1
source hooks/lib/containers.sh`
			got, err := sourced(t, before, "hooks/lib/retire.sh", "prune_images registry.example.com:5000/team/app")
			if want := "removed " + digest("c"); err != nil || got != want {
				t.Errorf("it prints %q (%v), want %q", got, err, want)
			}
		})
	}
}
