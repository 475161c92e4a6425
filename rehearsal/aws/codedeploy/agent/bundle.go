package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"cicd/internal/rmtree"
	"cicd/rehearsal/aws/codedeploy/appspec"
)

// downloadBundle runs the DownloadBundle event (command_executor.rb).
func (e execution) downloadBundle(ctx context.Context) error {
	if err := e.removeOldArchives(); err != nil {
		return err
	}
	bundle, err := e.fetch(ctx)
	if err != nil {
		return err
	}
	if err := e.unpack(ctx, bundle); err != nil {
		return err
	}
	e.lintBundle()
	return e.record(mostRecentInstall)
}

// fetch stores the archive beside its future content and checks its entity tag (download_from_s3). The name is the
// agent's, whatever the type.
func (e execution) fetch(ctx context.Context) (string, error) {
	r := e.deployment.Revision
	body, etag, err := r.Open(ctx)
	if err != nil {
		return "", err
	}
	defer body.Close()
	path := filepath.Join(e.dir(), "bundle.tar")
	file, err := os.Create(path)
	if err != nil {
		return "", fmt.Errorf("bundle: %w", err)
	}
	_, err = io.Copy(file, body)
	if err := errors.Join(err, file.Close()); err != nil {
		return "", fmt.Errorf("bundle: %w", err)
	}
	if want := strings.ReplaceAll(r.ETag, `"`, ""); want != "" && want != strings.ReplaceAll(etag, `"`, "") {
		return "", appspec.Violation(fmt.Sprintf("Expected deployment artifact bundle etag %s but was actually %s", r.ETag, etag))
	}
	return path, e.recordETag(etag)
}

var appspecName = regexp.MustCompile(`(?i)appspec`)

// unpack extracts the archive. If everything is in one folder that has an appspec, it moves the content up
// (command_executor.rb, unpack_bundle).
func (e execution) unpack(ctx context.Context, bundle string) error {
	if err := rmtree.Remove(e.archiveDir()); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	if err := os.MkdirAll(e.archiveDir(), 0o777); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	var err error
	switch e.deployment.Revision.BundleType {
	case "zip":
		err = unzip(bundle, e.archiveDir())
	case "tgz":
		err = untar(ctx, "-zxpsf", bundle, e.archiveDir())
	default:
		err = untar(ctx, "-xpsf", bundle, e.archiveDir())
	}
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(e.archiveDir())
	if err != nil || len(entries) != 1 || !entries[0].IsDir() {
		return err
	}
	inner, err := os.ReadDir(filepath.Join(e.archiveDir(), entries[0].Name()))
	if err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	for _, entry := range inner {
		if appspecName.MatchString(entry.Name()) {
			return e.stripLeadingDirectory(entries[0].Name())
		}
	}
	return nil
}

func (e execution) stripLeadingDirectory(name string) error {
	e.log("Stripping leading directory from archive bundle contents.")
	temporary := filepath.Join(e.dir(), "deployment-archive-temp")
	err := rmtree.Remove(temporary)
	if err == nil {
		err = os.Rename(e.archiveDir(), temporary)
	}
	if err == nil {
		err = os.Rename(filepath.Join(temporary, name), e.archiveDir())
	}
	if err == nil {
		err = os.Remove(temporary)
	}
	if err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	return nil
}

// lintBundle shows what the agent would ignore in the appspec. Errors in it appear in the events that read it.
func (e execution) lintBundle() {
	spec, err := e.agent.readAppSpec(filepath.Join(e.archiveDir(), "appspec.yml"))
	if err != nil {
		return
	}
	for _, warning := range append(spec.Warnings, e.serviceWarnings(spec)...) {
		e.warn("%s", warning)
	}
}

// serviceWarnings are about what the agent takes and the service does not, or never asks for.
func (e execution) serviceWarnings(spec appspec.AppSpec) []string {
	var warnings []string
	for _, key := range spec.Events {
		event, _ := key.(string)
		if slices.Contains(loadBalancerEvents, event) && !slices.Contains(e.deployment.Events, event) {
			warnings = append(warnings, fmt.Sprintf("hooks: %s never runs: without a load balancer, a deployment has no such event", event))
		}
		var sum time.Duration
		for _, script := range spec.Hooks[event] {
			sum += min(script.Timeout, 2*eventLimit) // no overflow
		}
		if sum > eventLimit {
			warnings = append(warnings, fmt.Sprintf("hooks: the timeouts of %s add up to more than %.0f seconds, which is all that an event may take: "+
				"give its scripts less (a script without one has 3600)", event, eventLimit.Seconds()))
		}
	}
	return warnings
}

// loadBalancerEvents have a place only in a deployment that takes hosts from a load balancer (CodeDeploy User Guide,
// "Lifecycle event hook availability").
var loadBalancerEvents = []string{"BeforeBlockTraffic", "AfterBlockTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"}

// eventLimit is the most that the timeouts of an event's scripts may add up to (CodeDeploy User Guide, "AppSpec 'hooks'
// section").
const eventLimit = time.Hour

// untar runs tar as linux_util.rb does.
func untar(ctx context.Context, flags, bundle, dir string) error {
	cmd := exec.CommandContext(ctx, "tar", flags, bundle)
	cmd.Dir, cmd.Env = dir, toolEnvironment() // GNU tar also obeys TAR_OPTIONS
	output, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("tar: %w", err)
	}
	return &Failure{
		Code:    UnknownError,
		Message: fmt.Sprintf("Error extracting tar archive: %d", exit.ExitCode()),
		Hint:    "tar says: " + string(bytes.TrimSpace(output)),
	}
}
