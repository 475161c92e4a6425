package rehearsal

import (
	"bytes"
	"io"
	"testing"

	"cicd/internal/docker/dockertest"
	"cicd/rehearsal/change"
	"cicd/rehearsal/rehearsaltest"
)

func TestForeignGitSettings(t *testing.T) {
	dockertest.Need(t)
	project := rehearsaltest.NewLFSProject(t)
	clean := rehearsaltest.WantClean(t, project)
	rehearsaltest.AdoptGitSettings(t)
	var stderr bytes.Buffer
	if err := Run(t.Context(), rehearsaltest.Options(project, DefaultStack, &stderr), change.Scenario{Out: io.Discard}); err != nil {
		t.Errorf("%v\n%s", err, &stderr)
	}
	clean()
}
