package world

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"cicd/internal/shellword"

	"cicd/internal/docker"

	"cicd/rehearsal/aws/api"
	"cicd/rehearsal/aws/codedeploy/agent"
	"cicd/rehearsal/aws/iam"
)

// Host stands for one EC2 instance: a named set of Docker objects, an agent, and a metadata service.
type Host struct {
	// App is the prefix of the names of its Docker objects.
	App string
	// Edge is the address on this machine that stands for port 80 of the instance.
	Edge string
	// EdgeTLS stands for its port 443, TCP and UDP.
	EdgeTLS  string
	Home     string // a folder for what hooks write
	path     string // PATH of the hooks
	disks    disks
	agent    *agent.Agent
	metadata *api.IMDS
	power    sync.Mutex // held while the host stops, starts or reboots
}

func (h *Host) EdgeName() string { return h.App + "-edge" }

// With adds variables to the environment of the host's hooks until restore is called.
func (h *Host) With(variables ...string) (restore func()) {
	before := h.agent.Env
	h.agent.Env = append(slices.Clone(before), variables...)
	return func() { h.agent.Env = before }
}

// Wrap replaces one of the host's commands by a bash script until undo is called. In the script, $real is the command
// itself.
func (h *Host) Wrap(command, script string) (undo func(), err error) {
	real, err := h.find(command)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(h.Home, "wrapped")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	text := fmt.Sprintf("#!/bin/bash\nreal=%s\n%s\n", shellword.Quote(real), script)
	restore := h.With("PATH=" + dir + string(filepath.ListSeparator) + h.path)
	return func() { restore(); os.RemoveAll(dir) }, os.WriteFile(filepath.Join(dir, command), []byte(text), 0o755)
}

// find returns the path of one of the host's commands.
func (h *Host) find(command string) (string, error) {
	for _, folder := range filepath.SplitList(h.path) {
		if path, err := exec.LookPath(filepath.Join(folder, command)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not on the host's PATH, %s", command, h.path)
}

// Session is a session of the host's role.
func (h *Host) Session() (iam.Session, error) { return h.metadata.Session() }

// Containers lists the names of the host's containers, in any state.
func (h *Host) Containers(ctx context.Context) ([]string, error) {
	names, err := docker.Run(ctx, "ps", "--all", "--format", "{{.Names}}", "--filter", "name=^/"+h.App+"-")
	return strings.Fields(names), err
}

// ComeBack starts the containers that the Docker daemon starts when it starts: those whose restart policy says so (Docker
// manual, "Start containers automatically"). The edge comes before the application that it needs, as its name sorts.
func (h *Host) ComeBack(ctx context.Context) error {
	names, err := h.Containers(ctx)
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
		if p := strings.TrimSpace(policy); p != "always" && p != "unless-stopped" {
			continue
		}
		lacks, err := h.lacksData(ctx, name)
		if err != nil {
			return err
		}
		if lacks {
			continue
		}
		if _, err := docker.Run(ctx, "start", name); err != nil {
			return err
		}
	}
	return nil
}

// lacksData reports whether Docker cannot start a container, because a volume of it is a folder of the volume for data,
// which is not mounted. Here the folder is a Docker volume's, and so is always there.
func (h *Host) lacksData(ctx context.Context, container string) (bool, error) {
	mounted, err := h.disks.mounted()
	if err != nil || mounted {
		return false, err
	}
	volumes, err := docker.Run(ctx, "inspect", "--format", `{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}`, container)
	return strings.Contains("\n"+volumes, "\n"+h.App+"-"), err
}

// AwaitCandidate returns once the container of a commit has started beside the serving one.
func (h *Host) AwaitCandidate(ctx context.Context, commit string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		names, err := h.Containers(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, h.App+"-"+commit[:12]) }) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no container of %.7s was started: %w", commit, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Reboot kills the host's hooks and containers, then starts what starts at boot. Meanwhile its agent is unreachable.
func (h *Host) Reboot(ctx context.Context) error {
	h.power.Lock()
	defer h.power.Unlock()
	if err := h.halt(ctx, "kill"); err != nil {
		return err
	}
	return h.start(ctx)
}

// ShutDown ends the host's hooks and containers, as the system does when it is shut down: the Docker daemon gives
// containers the time that each has to stop (dockerd(8), "--shutdown-timeout"; here, docker stop's 10 seconds are the
// default, not the daemon's 15).
func (h *Host) ShutDown(ctx context.Context) error {
	h.power.Lock()
	defer h.power.Unlock()
	return h.halt(ctx, "stop")
}

// Boot starts what starts when the system does.
func (h *Host) Boot(ctx context.Context) error {
	h.power.Lock()
	defer h.power.Unlock()
	return h.start(ctx)
}

// halt ends the host's hooks, and its containers with a command of docker.
func (h *Host) halt(ctx context.Context, command string) error {
	if err := h.agent.Restart(); err != nil {
		return err
	}
	names, err := docker.Run(ctx, "ps", "--format", "{{.Names}}", "--filter", "name=^/"+h.App+"-")
	if err != nil || strings.TrimSpace(names) == "" {
		return err
	}
	_, err = docker.Run(ctx, append([]string{command}, strings.Fields(names)...)...)
	return err
}

// start mounts the host's disks, and starts its containers.
func (h *Host) start(ctx context.Context) error {
	if err := h.disks.reboot(); err != nil {
		return err
	}
	return h.ComeBack(ctx)
}

// remove removes the containers of an instance that is no more.
func (h *Host) remove(ctx context.Context) error {
	names, err := h.Containers(ctx)
	if err != nil || len(names) == 0 {
		return err
	}
	_, err = docker.Run(ctx, append([]string{"rm", "--force", "--volumes"}, names...)...)
	return err
}
