package world

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"cicd/rehearsal/workspace"

	"cicd/rehearsal/acme"
	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/api"
	"cicd/rehearsal/aws/cloudwatchlogs"
	"cicd/rehearsal/aws/codebuild"
	"cicd/rehearsal/aws/codedeploy"
	"cicd/rehearsal/aws/codepipeline"
	"cicd/rehearsal/aws/ec2"
	"cicd/rehearsal/aws/ecr"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/s3"
	"cicd/rehearsal/aws/secretsmanager"
	"cicd/rehearsal/aws/servicequotas"
	"cicd/rehearsal/aws/sessionmanager"
	"cicd/rehearsal/aws/ssm"
	"cicd/rehearsal/aws/tagging"
	"cicd/rehearsal/github"
	"cicd/rehearsal/provider"
)

// accountID is the account ID in AWS's own examples.
const accountID = "123456789012"

// cloud is AWS and GitHub on this machine: the stand-ins, wired together.
type cloud struct {
	work    *workspace.Workspace
	machine machine
	// builtInAWS is the path of a program that behaves as the built-in aws command when called by that name.
	builtInAWS string
	// installedAWS is the path of this machine's AWS CLI, or "" if it has none of a suitable version.
	installedAWS string
	account      *account.Account
	authority    *iam.Authority
	provider     *provider.Server
	registry     *ecr.Registry
	faults       *registryFaults
	store        *s3.Store
	parameters   *ssm.Store
	secrets      *secretsmanager.Store
	containers   *cloudwatchlogs.Service
	sessions     *sessionmanager.Service
	api          *api.Server
	// credentials are those of builds, served at credentialsURL.
	credentials    api.ContainerCredentials
	credentialsURL string
	builds         *codebuild.Runner
	deploys        *codedeploy.Service
	pipelines      *codepipeline.Service
	instances      *ec2.Service
	hosts          hosts
	names          names
	ca             *acme.Authority // nil for stacks without a domain
	approvalsLeft  atomic.Bool     // to people
	report         *reporter
	logs           *logs

	// pushes receives each push that reached the pipelines.
	pushes  chan pushed
	closers []func() error
}

// startCloud starts the stand-ins. When ctx ends, so does everything that runs in them. With an error, it returns what
// it has started, for the caller to close.
func startCloud(ctx context.Context, work *workspace.Workspace, m machine, o cloudOptions) (*cloud, error) {
	acct := account.New(accountID)
	authority := iam.NewAuthority(acct)
	authority.SetSpread(iam.Spread)
	c := &cloud{
		work: work, machine: m, account: acct, authority: authority, report: o.report, logs: o.logs, builtInAWS: o.builtInAWS,
		pushes: make(chan pushed, 64),
	}
	c.hosts = hosts{firstPort: o.port, byID: map[string]*Host{}}
	return c, errors.Join(c.startStorage(), c.startProvider(ctx, o), c.startPipelines(o), c.startAPI())
}

// cloudOptions is what the stack's settings and the rehearsal's options determine about the cloud.
type cloudOptions struct {
	connections []string // ARNs of connections that exist already
	networks    []provider.ExistingNetwork
	zones       []provider.ExistingZone
	trusted     map[string]map[string]any // resource types, with their outputs
	port        int
	buildCache  string
	builtInAWS  string
	report      *reporter
	logs        *logs
}

// startStorage starts the registry and the artifact store, and whatever else keeps something.
func (c *cloud) startStorage() error {
	images, err := c.work.MakeDir("registry")
	if err != nil {
		return err
	}
	objects, err := c.work.MakeDir("s3")
	if err != nil {
		return err
	}
	c.store = s3.NewStore(objects, c.account, c.authority)
	c.parameters = ssm.New(c.account, c.authority)
	c.secrets = secretsmanager.New(c.account, c.authority)
	c.containers = cloudwatchlogs.New(c.account, c.authority)
	c.instances = &ec2.Service{Account: c.account, Authority: c.authority, ShutDown: c.shutDown, Boot: c.bootAgain}
	c.closers = append(c.closers, c.instances.Close)
	c.faults = &registryFaults{}
	c.registry = ecr.New(ecr.Config{Account: c.account, Authorize: c.authority.Authorize, Dir: images, Now: c.faults.now})
	c.faults.Handler = c.registry
	registry, err := c.serve(c.faults)
	if err != nil {
		return err
	}
	c.work.Registry = strings.TrimPrefix(registry.URL, "http://")
	return c.work.Save()
}

func (c *cloud) startProvider(ctx context.Context, o cloudOptions) (err error) {
	c.provider, err = provider.Start(ctx, provider.Options{
		// The AWS provider repeats what a service rejects because a role has not spread
		// (hashicorp/terraform-provider-aws pull request 14264), so its authority knows a role at once.
		Account: c.account, Authority: iam.NewAuthority(c.account), RegistryHost: c.work.Registry,
		Images: c.registry, Objects: c.store,
		ExistingConnections: o.connections, ExistingNetworks: o.networks, ExistingZones: o.zones, Trusted: o.trusted,
	})
	if err == nil {
		c.closers = append(c.closers, func() error { c.provider.Close(); return nil })
	}
	return err
}

func (c *cloud) startPipelines(o cloudOptions) error {
	builds, err := c.work.MakeDir("builds")
	if err != nil {
		return err
	}
	// Every build creates and deletes hundreds of files. In a block group with many recent deletions, ext4 is slow to
	// find an inode for a new file (fs/ext4/ialloc.c, recently_deleted). With this attribute, which other file systems
	// may lack, each folder in it gets a block group of its own (chattr(1): "top of directory hierarchies").
	chattr := exec.Command("chattr", "+T", builds)
	chattr.Env = []string{}
	_ = chattr.Run()
	c.builds = &codebuild.Runner{
		Account: c.account, Authority: c.authority, Dir: builds, CacheDir: o.buildCache, Environment: c.buildEnvironment,
		Log: c.logs.build, Logs: c.containers, Parameters: c.parameters, Secrets: c.secrets,
	}
	c.closers = append(c.closers, c.builds.Close)
	c.deploys = c.newDeployService()
	scratch, err := c.work.MakeDir("scratch")
	if err != nil {
		return err
	}
	c.pipelines = &codepipeline.Service{
		Account: c.account, Authority: c.authority, Store: c.store, Dir: scratch,
		Build: c.build, Deploy: c.deploy, Approve: c.approve, Observe: c.report.observe,
		Note:      c.report.remark,
		NoWebhook: c.noWebhook,
	}
	return nil
}

// startAPI serves what AWS's clients call, those of builds, hosts and operators.
func (c *cloud) startAPI() error {
	if err := c.startSessions(); err != nil {
		return err
	}
	served, err := c.serve(api.New(api.Config{
		Account: c.account, Sessions: c.authority.SessionFor, Authorize: c.authority.Authorize,
		Registry: c.registry, RegistryURL: "http://" + c.work.Registry,
		Objects: c.store, Parameters: c.parameters, Hosts: c.sessions, Secrets: c.secrets, Logs: c.containers,
		Pipelines: c.pipelines, Builds: c.builds, Deployments: c.deploys, Instances: c.instances,
		Quotas: &servicequotas.Service{Account: c.account, Authority: c.authority},
		Tags:   &tagging.Service{Account: c.account, Authority: c.authority},
	}))
	if err != nil {
		return err
	}
	c.api = served
	credentials, err := c.serve(&c.credentials)
	if err != nil {
		return err
	}
	c.credentialsURL = credentials.URL
	return nil
}

// serve serves a handler until the cloud is closed.
func (c *cloud) serve(h http.Handler) (*api.Server, error) {
	server, err := api.Serve(h)
	if err == nil {
		c.closers = append(c.closers, server.Close)
	}
	return server, err
}

// close stops the executions and everything else that was started, in reverse order. It waits for them until ctx ends.
func (c *cloud) close(ctx context.Context) error {
	var err error
	if c.pipelines != nil {
		err = c.pipelines.Close(ctx)
	}
	closed := make(chan error, 1)
	go func() {
		err := c.hosts.close()
		for i := len(c.closers) - 1; i >= 0; i-- {
			err = errors.Join(err, c.closers[i]())
		}
		closed <- err
	}()
	select {
	case rest := <-closed:
		return errors.Join(err, rest)
	case <-ctx.Done():
		return errors.Join(err, fmt.Errorf("the stand-ins for AWS do not stop: %w", context.Cause(ctx)))
	}
}

// pushed is the outcome of a push.
type pushed struct {
	At      time.Time
	Started []*codepipeline.Execution
	err     error // why nothing was started
}

// onPush handles each push to GitHub. Its answer is shown to whoever pushed.
func (c *cloud) onPush(ctx context.Context, push github.Push) string {
	p := pushed{At: time.Now()}
	p.Started, p.err = c.pipelines.Push(ctx, push)
	if errors.Is(p.err, codepipeline.ErrUnwatched) {
		p.err = fmt.Errorf("%w (config branch, watchPaths)", p.err)
	}
	select {
	case c.pushes <- p:
	default: // nobody is waiting
	}
	if p.err != nil {
		return fmt.Sprintf("The push to %s starts nothing: %v.", push.Branch, p.err)
	}
	var answer []string
	for _, e := range p.Started {
		answer = append(answer, fmt.Sprintf("Pipeline %s releases %.7s.", e.Pipeline, e.Commit))
	}
	return strings.Join(answer, "\n")
}

// pipelineCreated does what follows the creation of a pipeline: it creates the source repository, still empty, and
// starts the execution that AWS starts on creation. That fails, because there is no commit yet. If the connection was
// authorized in between, roles and policies had the time to spread, so nothing may be denied because they have not.
func (c *cloud) pipelineCreated(ctx context.Context, name string, authorized bool) error {
	if err := c.createRepository(ctx, name); err != nil {
		return err
	}
	e, err := c.pipelines.Start(ctx, name, codepipeline.ByCreation, "")
	if err != nil {
		return err
	}
	_, err = e.Wait(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if early := c.authority.TooEarly(); authorized && len(early) > 0 {
		return fmt.Errorf("the run that AWS starts when a pipeline is created is denied: %w", early[0])
	}
	c.report.Note("The new pipeline tried to release at once, as in AWS: %v", err)
	return nil
}

// noWebhook reports whether a pipeline was created while its connection was not AVAILABLE.
func (c *cloud) noWebhook(pipeline string) bool {
	r, _ := c.account.Find(account.Pipeline, "name", pipeline)
	registered, _ := r.Properties[provider.WebhookRegistered].(bool)
	return !registered
}

func (c *cloud) createRepository(ctx context.Context, pipeline string) error {
	fullName, branch, err := c.pipelines.Source(pipeline)
	if err != nil {
		return err
	}
	root, err := c.work.MakeDir("github")
	if err != nil {
		return err
	}
	repository, err := github.Create(ctx, root, fullName, branch, func(p github.Push) string { return c.onPush(ctx, p) })
	if err != nil {
		return err
	}
	c.pipelines.Repository = repository
	c.closers = append(c.closers, func() error { repository.Close(); return nil })
	return nil
}

// protected reports whether the stack refuses to be destroyed.
func (c *cloud) protected() bool {
	for _, r := range c.account.ByType(account.Instance) {
		if on, _ := r.Properties["disableApiTermination"].(bool); on {
			return true
		}
	}
	return false
}

// contents counts the images and artifacts that a destroy has to remove.
func (c *cloud) contents() (images, objects int) {
	for _, r := range c.account.ByType(account.Repository) {
		images += c.registry.ImageCount(r.String("name"))
	}
	for _, r := range c.account.ByType(account.Bucket) {
		objects += c.store.ObjectCount(r.String("bucket"))
	}
	return images, objects
}
