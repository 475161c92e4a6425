package deployscripts_test

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestOtherArchitecture changes the host's instance type, and so the builds' architecture. The same commit gets another
// image, and the host rejects one of the old architecture, such as a rollback's.
func TestOtherArchitecture(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	other := map[string]string{"amd64": "arm64", "arm64": "amd64"}[runtime.GOARCH]
	fill := func(architecture string) func(string) {
		return func(webapp string) {
			app(t, "architecture", "")(webapp)
			// No layer of another test's image may follow: Docker's classic builder would take it from its cache for either architecture.
			edit(t, filepath.Join(webapp, "Dockerfile"), "FROM scratch", "FROM scratch\nCOPY Makefile /")
			write(t, filepath.Join(webapp, "Makefile"), "image:\n\tdocker build --quiet --no-cache --platform linux/"+architecture+" --tag '$(IMAGE)' .\n")
		}
	}
	before := h.mustBuild(1, fill(other), "GOARCH="+other)
	after := h.mustBuild(1, fill(runtime.GOARCH))
	if released(t, before) == released(t, after) {
		t.Errorf("both architectures get %s", released(t, after))
	}
	h.mustDeploy(after)
	output, err := h.deploy(before)
	if want := "is for " + other + ", but this host is " + runtime.GOARCH; err == nil || !strings.Contains(lastLine(output), want) {
		t.Errorf("deploy: %v, want %q in the last line:\n%s", err, want, output)
	}
	h.wantAnswer(t, "architecture")
}
