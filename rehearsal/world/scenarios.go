package world

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"

	"cicd/automation"
	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/cloudwatchlogs"
	"cicd/rehearsal/aws/codepipeline"
	"cicd/rehearsal/aws/ecr"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/ssm"
	"cicd/rehearsal/github"
)

// This file has the parts of a world that scenarios may use.

// Output returns a string output of the stack, "" if there is none.
func (w *World) Output(name string) string { return w.stack.output(name) }

// Declared is the stack as package automation represents it.
func (w *World) Declared() *automation.Stack { return w.stack.Stack }

// AppURL is the stack's output appUrl.
func (w *World) AppURL() string { return w.Output("appUrl") }

// Client returns a client somewhere on the internet, see internet.
func (w *World) Client() *http.Client { return w.cloud.internet() }

// Serves waits until a container of the commit answers at the application's URL.
func (w *World) Serves(ctx context.Context, commit string) error {
	return w.cloud.serves(ctx, w.AppURL(), commit)
}

// Visit sends requests to the application until Leave is called, and passes each answer to saw unless that is nil.
func (w *World) Visit(ctx context.Context, saw func(Answer)) *Visitors {
	return visit(ctx, w.Client(), w.AppURL(), saw)
}

// CommitAt returns the commit of the container that the edge named as its upstream, or "" if there is none.
func (w *World) CommitAt(ctx context.Context, upstream string) (string, error) {
	return w.cloud.commitAt(ctx, upstream)
}

// Start releases a commit manually: StartPipelineExecution with a source revision override.
func (w *World) Start(ctx context.Context, commit string) (*codepipeline.Execution, error) {
	return w.cloud.pipelines.Start(ctx, w.Output("pipelineName"), codepipeline.ByHand, commit)
}

// Repository is the stack's repository on GitHub.
func (w *World) Repository() *github.Repository { return w.cloud.pipelines.Repository }

// Pushes receives each push to the repository that reached the pipelines.
func (w *World) Pushes() <-chan pushed { return w.cloud.pushes }

// Host returns the host that everything runs on.
func (w *World) Host() (*Host, error) {
	for _, instance := range w.cloud.account.ByType(account.Instance) {
		return w.cloud.host(instance.ID)
	}
	return nil, errors.New("the stack declares no instance")
}

// Disk returns the file that stands for the volume for data, see disks.sh.
func (w *World) Disk() (string, error) {
	attachments := w.cloud.account.ByType(account.VolumeAttachment)
	if len(attachments) == 0 {
		return "", errors.New("the stack attaches no volume")
	}
	instance := attachments[0].String("instanceId")
	h, err := w.cloud.host(instance)
	if err != nil {
		return "", err
	}
	return filepath.Join(h.disks.volumes, attachments[0].String("volumeId")), h.disks.plug(w.cloud.account, instance)
}

// ReplaceHost replaces the host by a new one, as `pulumi up --replace` does. It serves nothing until the next release.
func (w *World) ReplaceHost(ctx context.Context) error {
	for _, instance := range w.cloud.account.ByType(account.Instance) {
		return w.up(ctx, instance.URN)
	}
	return errors.New("the stack declares no instance")
}

// Account is what the stack declares.
func (w *World) Account() *account.Account { return w.cloud.account }

// Authority decides requests by the declared policies and records them.
func (w *World) Authority() *iam.Authority { return w.cloud.authority }

// Registry is the image registry, and RegistryFaults what can go wrong with it.
func (w *World) Registry() *ecr.Registry         { return w.cloud.registry }
func (w *World) RegistryFaults() *registryFaults { return w.cloud.faults }

// Parameters is Parameter Store, and Logs CloudWatch Logs with what the hosts' containers have printed.
func (w *World) Parameters() *ssm.Store        { return w.cloud.parameters }
func (w *World) Logs() *cloudwatchlogs.Service { return w.cloud.containers }

// Contents counts the images and artifacts that a destroy has to remove.
func (w *World) Contents() (images, objects int) { return w.cloud.contents() }

// InstalledAWS is the path of this machine's AWS CLI, or "" if it has none of a suitable version.
func (w *World) InstalledAWS() string { return w.cloud.installedAWS }

// UseAWS makes the aws command of builds and hooks run the AWS CLI at this path, or the built-in one for "".
func (w *World) UseAWS(installed string) error { return w.cloud.useAWS(installed) }

// Serve serves a handler on the loopback interface until the world is closed, and returns its URL.
func (w *World) Serve(h http.Handler) (url string, err error) {
	server, err := w.cloud.serve(h)
	if err != nil {
		return "", err
	}
	return server.URL, nil
}
