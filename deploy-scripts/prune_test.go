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
