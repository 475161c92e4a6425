package world

import (
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
	h, err := c.boot(instanceID, len(c.hosts.byID)+1, agentVersion(declared.String("userData")))
	if err != nil {
		return nil, fmt.Errorf("host %s: %w", instanceID, err)
	}
	c.hosts.byID[instanceID] = h
	return h, nil
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
	home, err := c.work.MakeDir("hosts", instanceID, "home")
	if err != nil {
		return nil, err
	}
	metadata := api.NewIMDS(c.account, c.authority, instanceID)
	endpoint, err := c.serve(metadata)
	if err != nil {
		return nil, err
	}
	h := &Host{App: fmt.Sprintf("%s-%d", c.work.Name, number), Edge: edge, Home: home, path: c.machine.path, metadata: metadata}
	h.agent = &agent.Agent{
		DeploymentRoot: c.work.Path("hosts", instanceID, "deployment-root"),
		Root:           c.work.Path("hosts", instanceID, "root"),
		Version:        agentVersion,
		// Without HOME and TMPDIR, because systemd sets neither for root's services (systemd.exec(5), "Environment
		// Variables in Spawned Processes"). DOCKER_CONFIG keeps hooks away from this machine's Docker settings. A
		// host's locale is taken to have UTF-8 (LANG in /etc/locale.conf), whatever this machine's is: then the agent
		// rejects other output.
		Env: append(c.machine.environment(c.work),
			"LANG=C.UTF-8", "LC_ALL=", "DOCKER_CONFIG="+filepath.Join(home, ".docker"), "APP_NAME="+h.App, "EDGE_PORT="+edge, "EDGE_IMAGE="+c.edgeImage(),
			"AWS_ENDPOINT_URL="+c.api.URL, "AWS_EC2_METADATA_SERVICE_ENDPOINT="+endpoint.URL+"/"),
	}
	return h, nil
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
