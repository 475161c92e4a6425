package world

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cicd/automation"
	"cicd/infra"
	"cicd/internal/docker"
	"cicd/internal/shellword"
	"cicd/rehearsal/aws/cli"
	"cicd/rehearsal/provider"
	"cicd/rehearsal/workspace"
)

// prepare sets up everything that must exist before the stack comes up.
func (w *World) prepare(ctx context.Context) error {
	fmt.Fprintf(w.Console, "Rehearsing stack %s on this machine, without an AWS account.\n", w.Stack)
	config, err := automation.ReadConfig(w.ProjectDir, w.Stack)
	if err != nil {
		return err
	}
	if w.application, err = infra.ReadApplication(config.Project, w.Stack, config.Values, config.Encrypted); err != nil {
		return err
	}
	w.project = config.Project
	if w.secretValues, err = secretValues(w.ProjectDir, w.Stack, secretsOf(w.application)); err != nil {
		return err
	}
	if _, err := automation.FindEngine(ctx, w.ProjectDir, w.Console); err != nil {
		return err
	}
	dir, err := w.Workspace.MakeDir("project")
	if err != nil {
		return err
	}
	encrypted, err := copySettings(w.ProjectDir, dir, w.Stack)
	if err != nil {
		return err
	}
	for _, setting := range encrypted {
		w.Note("%s is encrypted: the rehearsal runs without it", setting)
	}
	if w.logs, err = w.openLogs(ctx); err != nil {
		return err
	}
	options := cloudOptions{port: w.Port, builtInAWS: w.BuiltInAWS, report: &reporter{Console: w.Console, logs: w.logs}, logs: w.logs}
	if arn := config.Values[config.Project+":connectionArn"]; arn != "" {
		options.connections = []string{arn}
	}
	options.networks = existingNetworks(config)
	if id, name := existingZone(config); id != "" {
		options.zones = []provider.ExistingZone{{ID: id, Name: name}}
	}
	if options.trusted, err = provider.LoadTrusted(filepath.Join(w.ProjectDir, trustedFile)); err != nil {
		return err
	}
	m, err := newMachine(ctx, w.Workspace)
	if err != nil {
		return err
	}
	if options.buildCache, err = userCache("codebuild"); err != nil {
		return err
	}
	if w.cloud, err = startCloud(ctx, w.Workspace, m, options); err != nil {
		return err
	}
	w.cloud.report.remark(exposed(ctx, w.ProjectDir))
	return w.openStack(ctx, dir, infra.Program(config.Keys()))
}

// newMachine finds this machine's Docker daemon, and puts a folder for the aws command in front of PATH.
func newMachine(ctx context.Context, work *workspace.Workspace) (machine, error) {
	host := os.Getenv("DOCKER_HOST")
	if host == "" { // `docker context use` stores its choice in the user's HOME, which builds and hooks do not see
		endpoint, err := docker.Run(ctx, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
		if err != nil {
			return machine{}, err
		}
		host = strings.TrimSpace(endpoint)
	}
	bin, err := work.MakeDir("bin")
	if err != nil {
		return machine{}, err
	}
	return machine{path: bin + string(filepath.ListSeparator) + os.Getenv("PATH"), dockerHost: host}, nil
}

// provideAWS provides the aws command of builds and hooks: the installed AWS CLI if its version is suitable, else the
// built-in one. Asking for the version alone takes a second.
func (c *cloud) provideAWS() error {
	c.installedAWS, _ = cli.Find(append(c.machine.environment(c.work), userHome()))
	return c.useAWS(c.installedAWS)
}

// useAWS makes the aws command of builds and hooks run the AWS CLI at this path, or the built-in one for "".
func (c *cloud) useAWS(installed string) error {
	command := c.work.Path("bin", "aws")
	if err := os.Remove(command); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if installed != "" {
		return os.WriteFile(command, fmt.Appendf(nil, "#!/bin/sh\nHOME=%s exec %s \"$@\"\n", shellword.Quote(os.Getenv("HOME")), shellword.Quote(installed)), 0o755)
	}
	return os.Symlink(c.builtInAWS, command)
}

// userHome is what a version manager's shim needs to find its own files.
func userHome() string { return "HOME=" + os.Getenv("HOME") }

// userCache makes a folder in the user's cache for what rehearsals can reuse.
func userCache(name string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "cicd", name)
	return dir, os.MkdirAll(dir, 0o755)
}

// makeEdgeImage builds the image that replaces the public Caddy image: the same version, and nothing else in it.
func (w *World) makeEdgeImage(ctx context.Context) error {
	architecture, err := docker.Run(ctx, "version", "--format", "{{.Server.Arch}}")
	if err != nil {
		return err
	}
	caddy, err := automation.Caddy.Build(ctx, filepath.Join(w.ProjectDir, "tools"), automation.Platform{OS: "linux", Arch: strings.TrimSpace(architecture)}, w.Console)
	if err != nil {
		return err
	}
	start := time.Now()
	dir, err := w.Workspace.MakeDir("edge")
	if err != nil {
		return err
	}
	// A symbolic link would not do: a build context is read file by file. The copy is a hard link if possible.
	if os.Link(caddy, filepath.Join(dir, "caddy")) != nil {
		if err := copyFile(caddy, filepath.Join(dir, "caddy")); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(edgeDockerfile), 0o644); err != nil {
		return err
	}
	// It must not be interrupted: the daemon would go on alone, and create the image after everything was removed.
	if _, err := docker.Run(context.WithoutCancel(ctx), "build", "--quiet", "--force-rm", "--tag", w.cloud.edgeImage(), dir); err != nil {
		return err
	}
	w.Step("edge", "image with Caddy, built from tools/", time.Since(start))
	return nil
}

// edgeDockerfile puts Caddy where the official image has it.
const edgeDockerfile = `FROM scratch
COPY caddy /usr/bin/caddy
ENV PATH=/usr/bin XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
`

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = out.ReadFrom(in)
	return errors.Join(err, out.Close())
}
