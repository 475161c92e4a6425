package agent

import "cicd/internal/processes"

// Close ends what hooks have left running, as the end of the host would; the agent never does.
func (a *Agent) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var marks []string
	for _, id := range a.deployments {
		marks = append(marks, "DEPLOYMENT_ID="+id)
	}
	a.deployments = nil
	return processes.Kill(marks...)
}

// Restart kills the agent and what its hooks have started, as a reboot of the host does. The events that it was running
// fail: it finds their tracking files when it starts again (command_poller.rb, recover_from_crash?).
func (a *Agent) Restart() error {
	a.mu.Lock()
	a.restarts++
	a.mu.Unlock()
	return a.Close()
}

// errRestarted names neither a script nor its output: the tracking file has only the command's id
// (gather_diagnostics_from_failure_after_restart).
var errRestarted = &Failure{
	Code:    FailedAfterRestart,
	Message: "Failed: Failing in-progress lifecycle event after an agent restart.",
	Hint:    "the host or its agent restarted while the event ran; logs/scripts.log on the host has the output so far",
}

func (a *Agent) restartedSince(restarts int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.restarts != restarts
}
