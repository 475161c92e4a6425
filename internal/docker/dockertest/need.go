// Package dockertest keeps the tests that need Docker apart from those that do not.
package dockertest

import (
	"os"
	"testing"

	"cicd/internal/docker"
)

// Need is the first call of every test that needs Docker. It skips the test with -short, which means "no Docker" everywhere
// and nothing else. Without a daemon it skips the test too, but fails it in CI.
func Need(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs Docker, and -short is set")
	}
	if _, err := docker.Run(t.Context(), "version"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}
