package bench

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"cicd/internal/freeport"
	"cicd/rehearsal/console"
	"cicd/rehearsal/workspace"
	"cicd/rehearsal/world"

	"github.com/google/go-containerregistry/pkg/registry"

	"cicd/rehearsal/github"
)

//go:embed bare.sh
var bareScript string

// measureReleases compares a push with the same commands run manually. Both change the same line, but not to the same text:
// the second would find in Docker's cache what the first built. The push uses the built-in aws command, so that results
// from different machines compare, and where the AWS CLI is installed, once more with that.
func (b *bench) measureReleases(ctx context.Context, report *report) error {
	bare, err := b.newBareRelease(ctx)
	if err != nil {
		return err
	}
	run := time.Now().Format(time.DateTime) // makes every text new: never tested or built before
	pushed := func(round int) (float64, error) {
		took, spans, err := b.timedPush(ctx, "", fmt.Sprintf("Pushed in round %d, %s.", round, run))
		if round > 0 {
			report.pushed = append(report.pushed, spans)
		}
		return took, err
	}
	byHand := func(round int) (float64, error) {
		spans, err := bare.release(ctx, fmt.Sprintf("Released by hand in round %d, %s.", round, run))
		if round > 0 {
			report.byHand = append(report.byHand, spans)
		}
		return total(spans).Seconds(), err
	}
	measures := []measure{pushed, byHand}
	if installed := b.InstalledAWS(); installed != "" {
		measures = append(measures, func(round int) (float64, error) {
			took, _, err := b.timedPush(ctx, installed, fmt.Sprintf("Pushed with the AWS CLI in round %d, %s.", round, run))
			return took, err
		})
	}
	figures, err := b.inTurns("Push to live, compared with the bare commands", "%.1f s", measures...)
	if err != nil {
		return err
	}
	report.add(comparison{
		name: "push to live", baseline: "bare commands", unit: "%.1f s", judge: ratio, here: figures[0], there: figures[1], limit: 1.3,
		how: "`git push` of a changed line until the URL first serves it, compared with `rehearsal/bench/bare.sh`: go vet, go test, go build, " +
			"docker build, push to a registry without a login, pull, run, and wait for the health path; ECR is asked for the commit's " +
			"image and for two logins with the built-in aws command",
	})
	if len(figures) > 2 {
		report.add(comparison{
			name: "push, AWS CLI", baseline: "bare commands", unit: "%.1f s", judge: ratio, here: figures[2], there: figures[1],
			how: "the same push with this machine's AWS CLI: each of its three calls first starts Python",
		})
	}
	return nil
}

// timedPush pushes a changed line, with an installed AWS CLI or the built-in one for "", and returns after how many seconds
// it was served.
func (b *bench) timedPush(ctx context.Context, aws, text string) (seconds float64, spans []console.Span, err error) {
	if err := b.UseAWS(aws); err != nil {
		return 0, nil, err
	}
	_, commit, err := b.CommitChange(ctx, b.dir, text)
	if err != nil {
		return 0, nil, err
	}
	b.Console.TakeSpans()
	done, err := b.Release(ctx, b.dir, commit)
	return done.Took.Seconds(), b.Console.TakeSpans(), err
}

// bareRelease is where the bare commands run.
type bareRelease struct {
	dir, script string
	environment []string
}

func (b *bench) newBareRelease(ctx context.Context) (*bareRelease, error) {
	url, err := b.Serve(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	if err != nil {
		return nil, err
	}
	b.bare.Registry = strings.TrimPrefix(url, "http://")
	if err := b.bare.Save(); err != nil {
		return nil, err
	}
	address, err := freeport.Address()
	if err != nil {
		return nil, err
	}
	bare := &bareRelease{
		dir: b.bare.Path("checkout"), script: b.bare.Path("bare.sh"),
		environment: append(os.Environ(), workspace.ProcessMark+"="+b.bare.Name, "IMAGE="+b.bare.Registry+"/webapp:bare", "NAME="+b.bare.Name, "ADDRESS="+address, "LC_ALL=C"),
	}
	if err := os.WriteFile(bare.script, []byte(bareScript), 0o644); err != nil {
		return nil, err
	}
	_, err = github.Git(ctx, "", "clone", "--quiet", b.dir, bare.dir)
	return bare, err
}

// release runs the commands for a change, and returns how long each took.
func (r *bareRelease) release(ctx context.Context, text string) ([]console.Span, error) {
	if err := os.WriteFile(filepath.Join(r.dir, world.Greeting), []byte(text+"\n"), 0o644); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", traced, "bash", r.script)
	var output bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = r.dir, r.environment, &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("the bare commands: %w: %s", err, strings.TrimSpace(output.String()))
	}
	return readTrace(output.String(), time.Now()), nil
}
