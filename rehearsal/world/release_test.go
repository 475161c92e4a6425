package world

import (
	"testing"

	"cicd/internal/edit"
	"cicd/internal/testproject"
)

// TestUncommitted: changed settings are rehearsed, so they do not count among what the release leaves out.
func TestUncommitted(t *testing.T) {
	dir := testproject.New(t)
	for _, step := range []struct {
		edit edit.Edit
		want string
	}{
		{edit.Write("Pulumi.dev.yaml", "config: {}\n"), ""},
		{edit.Write("infra/new.go", "package infra\n"), ""},
		{edit.Write("webapp/new.txt", "new\n"), "1 uncommitted change is not part of it"},
		{edit.Remove("webapp/Dockerfile"), "2 uncommitted changes are not part of it"},
	} {
		testproject.Apply(t, dir, step.edit)
		if got := uncommitted(t.Context(), dir); got != step.want {
			t.Errorf("uncommitted() = %q, want %q", got, step.want)
		}
	}
}
