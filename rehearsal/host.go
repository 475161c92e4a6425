package rehearsal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"cicd/internal/docker"

	"cicd/rehearsal/awsapi"
	"cicd/rehearsal/codedeploy/agent"
)

// host stands for one EC2 instance: a named set of Docker objects, an agent, and a metadata service.
type host struct {
	// app is what the name of each of its Docker objects starts with.
	app string
	// edge is the address on this machine at which port 80 of the instance answers.
	edge     string
	home     string // of the user that hooks run as
	agent    *agent.Agent
	metadata *awsapi.IMDS
	power    sync.Mutex // held while the host reboots
}

func (h *host) edgeName() string { return h.app + "-edge" }

// with adds variables to the environment of the host's hooks until the function that it returns is called.
func (h *host) with(variables ...string) (restore func()) {
	before := h.agent.Env
	h.agent.Env = append(slices.Clone(before), variables...)
	return func() { h.agent.Env = before }
}

// containers names the host's containers, whatever their state.
func (h *host) containers(ctx context.Context) ([]string, error) {
	names, err := docker.Run(ctx, "ps", "--all", "--format", "{{.Names}}", "--filter", "name=^/"+h.app+"-")
	return strings.Fields(names), err
}

// comeBack starts the containers that Docker starts when it starts: those whose restart policy says so (Docker manual,
// "Start containers automatically"). The edge, by its name, comes before the application that it needs.
func (h *host) comeBack(ctx context.Context) error {
	names, err := h.containers(ctx)
	if err != nil {
		return err
	}
	slices.Sort(names)
	slices.Reverse(names)
	for _, name := range names {
		policy, err := docker.Run(ctx, "inspect", "--format", "{{.HostConfig.RestartPolicy.Name}}", name)
		if err != nil {
			return err
		}
		if p := strings.TrimSpace(policy); p == "always" || p == "unless-stopped" {
			if _, err := docker.Run(ctx, "start", name); err != nil {
				return err
			}
		}
	}
	return nil
}

// awaitCandidate returns when the container of a commit has been started beside the one that serves.
func (h *host) awaitCandidate(ctx context.Context, commit string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		names, err := h.containers(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, h.app+"-"+commit[:12]) }) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no container of %.7s was started: %w", commit, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// reboot kills the host's hooks and containers, and starts what starts by itself. Meanwhile its agent is away.
func (h *host) reboot(ctx context.Context) error {
	h.power.Lock()
	defer h.power.Unlock()
	if err := h.agent.Close(); err != nil {
		return err
	}
	names, err := docker.Run(ctx, "ps", "--format", "{{.Names}}", "--filter", "name=^/"+h.app+"-")
	if err != nil {
		return err
	}
	if _, err := docker.Run(ctx, append([]string{"kill"}, strings.Fields(names)...)...); err != nil {
		return err
	}
	return h.comeBack(ctx)
}
