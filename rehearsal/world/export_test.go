package world

// Environments is what builds and hosts get of this machine's environment.
func (w *World) Environments() []string {
	all := w.cloud.machine.environment(w.Workspace)
	for _, h := range w.cloud.hosts.byID {
		all = append(all, h.agent.Env...)
	}
	return all
}
