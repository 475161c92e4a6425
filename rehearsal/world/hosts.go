package world

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"cicd/internal/freeport"
	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/api"
	"cicd/rehearsal/aws/codedeploy/agent"
)

// hosts are the EC2 instances that have been used so far.
type hosts struct {
	firstPort int // of the first host's edge; 0 for any free port

	mu   sync.Mutex
	byID map[string]*Host
}

// host returns the host that stands for a declared instance.
func (c *cloud) host(instanceID string) (*Host, error) {
	c.hosts.mu.Lock()
	defer c.hosts.mu.Unlock()
	if h, ok := c.hosts.byID[instanceID]; ok {
		return h, nil
	}
	declared, ok := c.account.Find(account.Instance, "id", instanceID)
	if !ok {
		return nil, fmt.Errorf("InvalidInstanceID.NotFound: the instance ID '%s' does not exist", instanceID)
	}
	if err := c.removeTerminated(); err != nil {
		return nil, err
	}
	h, err := c.boot(instanceID, len(c.hosts.byID)+1, agentVersion(declared.String("userData")))
	if err != nil {
		return nil, fmt.Errorf("host %s: %w", instanceID, err)
	}
	c.hosts.byID[instanceID] = h
	return h, nil
}

// shutDown ends what runs on an instance that EC2 stops, and bootAgain starts it.
func (c *cloud) shutDown(instanceID string)  { c.power(instanceID, (*Host).ShutDown) }
func (c *cloud) bootAgain(instanceID string) { c.power(instanceID, (*Host).Boot) }

// power does something to a host, if it has been used. What goes wrong is the host's own matter, as in AWS, where the
// instance changes its state all the same.
func (c *cloud) power(instanceID string, do func(*Host, context.Context) error) {
	c.hosts.mu.Lock()
	h, ok := c.hosts.byID[instanceID]
	c.hosts.mu.Unlock()
	if !ok {
		return
	}
	if err := do(h, context.Background()); err != nil {
		c.report.remark(fmt.Sprintf("warning: host %s: %v", instanceID, err))
	}
}

// removeTerminated removes what runs on hosts whose instances are no more.
func (c *cloud) removeTerminated() error {
	for id, h := range c.hosts.byID {
		if _, declared := c.account.Find(account.Instance, "id", id); !declared {
			if err := h.remove(context.Background()); err != nil {
				return fmt.Errorf("host %s, which is no more: %w", id, err)
			}
		}
	}
	return nil
}

// agentVersion is the major version of the CodeDeploy agent that user data installs: the agent's bucket has 2 below
// latestv2/ and 1 below latest/ (CodeDeploy User Guide, "Install the CodeDeploy agent for Amazon Linux or RHEL").
func agentVersion(userData string) int {
	if strings.Contains(userData, "/latestv2/install") {
		return 2
	}
	return 1
}

// boot sets up a host on this machine.
func (c *cloud) boot(instanceID string, number, agentVersion int) (*Host, error) {
	edge, err := freeport.Address()
	if number == 1 && c.hosts.firstPort != 0 {
		edge, err = fmt.Sprintf("127.0.0.1:%d", c.hosts.firstPort), nil
	}
	if err != nil {
		return nil, err
	}
	edgeTLS, err := freeport.Address()
	if err != nil {
		return nil, err
	}
	home, err := c.work.MakeDir("hosts", instanceID, "home")
	if err != nil {
		return nil, err
	}
	metadata := api.NewIMDS(c.account, c.authority, instanceID)
	endpoint, err := c.serve(metadata)
	if err != nil {
		return nil, err
	}
	disks, err := newDisks(c.work, instanceID)
	if err != nil {
		return nil, err
	}
	bin, err := c.hostCommands(instanceID, metadata, disks)
	if err != nil {
		return nil, err
	}
	h := &Host{
		App: fmt.Sprintf("%s-%d", c.work.Name, number), Edge: edge, EdgeTLS: edgeTLS, Home: home, metadata: metadata, disks: disks,
		path: bin + string(filepath.ListSeparator) + c.machine.path,
	}
	h.agent = &agent.Agent{
		DeploymentRoot: c.work.Path("hosts", instanceID, "deployment-root"),
		Root:           c.work.Path("hosts", instanceID, "root"),
		Version:        agentVersion,
		// Without HOME and TMPDIR, because systemd sets neither for root's services (systemd.exec(5), "Environment
		// Variables in Spawned Processes"). DOCKER_CONFIG keeps hooks away from this machine's Docker settings. A
		// host's locale is taken to have UTF-8 (LANG in /etc/locale.conf), whatever this machine's is: then the agent
		// rejects other output.
		Env: append(c.machine.environment(c.work), "PATH="+h.path,
			"LANG=C.UTF-8", "LC_ALL=", "DOCKER_CONFIG="+filepath.Join(home, ".docker"), "APP_NAME="+h.App, "EDGE_PORT="+edge, "EDGE_TLS_PORT="+edgeTLS,
			"EDGE_IMAGE="+c.edgeImage(), "DATA_FOLDER="+disks.data, "FSTAB="+disks.fstab, "AWS_ENDPOINT_URL="+c.api.URL,
			"AWS_EC2_METADATA_SERVICE_ENDPOINT="+endpoint.URL+"/"),
	}
	h.agent.Env = append(h.agent.Env, c.caEnvironment()...)
	return h, nil
}

// hostCommands makes the folder with a host's commands for Docker and disks, and sudo, and receives what its containers print.
func (c *cloud) hostCommands(instanceID string, metadata *api.IMDS, disks disks) (folder string, err error) {
	received := &containerLogs{service: c.containers, session: metadata.Session, lost: func(stream string, err error) {
		if _, ok := c.account.Find(account.Instance, "id", instanceID); ok { // else it goes with the stack
			c.report.remark(fmt.Sprintf("warning: log stream %s is incomplete: %v", stream, err))
		}
	}}
	if err := received.receive(); err != nil {
		return "", err
	}
	c.closers = append(c.closers, received.close)
	if folder, err = c.work.MakeDir("hosts", instanceID, "bin"); err != nil {
		return "", err
	}
	docker := dockerCommand{logs: received.listener.Addr().String(), region: c.account.Region(), name: c.work.Name, disks: disks}
	return folder, errors.Join(disks.provide(folder), docker.provide(folder), provideSudo(folder))
}

// edgeImage is the reference of the image that replaces the public Caddy image.
func (c *cloud) edgeImage() string { return c.work.Name + "-caddy:rehearsal" }

// close ends everything that still runs on the hosts.
func (h *hosts) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var err error
	for _, one := range h.byID {
		err = errors.Join(err, one.agent.Close())
	}
	return err
}
