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
