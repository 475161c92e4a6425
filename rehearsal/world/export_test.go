package world

// Environments are the environments of builds and hooks.
func (w *World) Environments() []string {
	all := w.cloud.machine.environment(w.Workspace)
	for _, h := range w.cloud.hosts.byID {
		all = append(all, h.agent.Env...)
	}
	return all
}
