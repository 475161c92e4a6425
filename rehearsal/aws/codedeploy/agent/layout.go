package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cicd/internal/rmtree"
)

// Below its deployment root the agent keeps (command_executor.rb):
//
//	<group id>/<deployment id>/deployment-archive      the unpacked bundle
//	<group id>/<deployment id>/logs/scripts.log        the output of its hooks
//	deployment-instructions/<group id>-install.json    what the last Install did
//	deployment-instructions/<group id>-cleanup         what the next Install removes first
//	deployment-instructions/<group id>_last_successful_install, <group id>_most_recent_install
const (
	// lastSuccessfulInstall names the deployment whose Install event last succeeded, whatever became of its later events.
	lastSuccessfulInstall = "_last_successful_install"
	// mostRecentInstall names the deployment whose bundle was last downloaded.
	mostRecentInstall = "_most_recent_install"
)

// maxRevisions is how many bundles of a deployment group stay on disk: the agent's default, :max_revisions: in its
// configuration.
const maxRevisions = 5

func (e execution) groupDir() string {
	return filepath.Join(e.agent.DeploymentRoot, e.deployment.GroupID)
}
func (e execution) dir() string        { return filepath.Join(e.groupDir(), e.deployment.ID) }
func (e execution) archiveDir() string { return filepath.Join(e.dir(), "deployment-archive") }

// instructionFile returns the path of a record of this deployment's group.
func (e execution) instructionFile(suffix string) string {
	return filepath.Join(e.agent.DeploymentRoot, "deployment-instructions", e.deployment.GroupID+suffix)
}

// record makes a pointer file name this deployment.
func (e execution) record(pointer string) error {
	path := e.instructionFile(pointer)
	err := os.MkdirAll(filepath.Dir(path), 0o777)
	if err == nil {
		err = os.WriteFile(path, []byte(e.dir()), 0o666)
	}
	if err != nil {
		return fmt.Errorf("record of %s: %w", strings.TrimPrefix(pointer, "_"), err)
	}
	return nil
}

// recorded returns the deployment directory that a pointer file names, or "" if there is no such file.
func (e execution) recorded(pointer string) (string, error) {
	text, err := os.ReadFile(e.instructionFile(pointer))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("record of %s: %w", strings.TrimPrefix(pointer, "_"), err)
	}
	return strings.TrimSuffix(string(text), "\n"), nil
}

// removeOldArchives makes room for this deployment: the group keeps its maxRevisions newest directories, and always
// the last installed (command_executor.rb, cleanup_old_archives).
func (e execution) removeOldArchives() error {
	entries, err := os.ReadDir(e.groupDir())
	if err != nil {
		return fmt.Errorf("old revisions: %w", err)
	}
	last, err := e.recorded(lastSuccessfulInstall)
	if err != nil {
		return err
	}
	// The surplus includes the last installed one, so it takes a place even though it is never removed.
	surplus := len(entries) - 1 - maxRevisions + 1
	var old []os.FileInfo
	for _, entry := range entries {
		path := filepath.Join(e.groupDir(), entry.Name())
		if path == e.dir() || path == last {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return fmt.Errorf("old revisions: %w", err)
		}
		old = append(old, info)
	}
	slices.SortStableFunc(old, func(a, b os.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, info := range old[:max(0, min(surplus, len(old)))] {
		if err := rmtree.Remove(filepath.Join(e.groupDir(), info.Name())); err != nil {
			return fmt.Errorf("old revisions: %w", err)
		}
	}
	return nil
}
