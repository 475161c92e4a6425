package agent

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// Close ends what hooks have left running, as the end of the host would: the agent never does. A process is one of
// theirs when its environment has a DEPLOYMENT_ID of this agent; systems without /proc do not tell.
func (a *Agent) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return fmt.Errorf("processes of hooks: %w", err)
	}
	for _, path := range environments {
		environment, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended, or is another user's
		}
		ours := slices.ContainsFunc(bytes.Split(environment, []byte{0}), func(v []byte) bool {
			id, ok := bytes.CutPrefix(v, []byte("DEPLOYMENT_ID="))
			return ok && slices.Contains(a.deployments, string(id))
		})
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if ours && err == nil && pid != os.Getpid() {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended meanwhile
		}
	}
	a.deployments = nil
	return nil
}
