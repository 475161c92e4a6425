package deployscripts_test

import (
	"fmt"
	"path/filepath"
	"testing"
)

// TestReloadUnderLoad makes the edge load changed configurations while clients keep their connections busy.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	bundle := h.mustBuild(1, app(t, "one", ""))
	h.mustDeploy(bundle)
	edge := docker(t, "container inspect --format {{.State.StartedAt}} "+h.app+"-edge")
	l := startLoad(h.plain(), 0) // a slow request may outlive the old configuration, see edge.sh
	for n := range 5 {
		edit(t, filepath.Join(bundle, "edge", "Caddyfile"), `\t(header X-Edge \d+\n\t)?reverse_proxy`, fmt.Sprintf("\theader X-Edge %d\n\treverse_proxy", n))
		h.mustDeploy(bundle)
		if got := h.edgeHeader(); got != fmt.Sprint(n) {
			t.Errorf("header %q, want %d: the edge has not loaded its new configuration", got, n)
		}
	}
	l.stop(h)
	if after := docker(t, "container inspect --format {{.State.StartedAt}} "+h.app+"-edge"); after != edge {
		t.Error("the edge was restarted or replaced")
	}
}
