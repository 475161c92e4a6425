package drill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cicd/internal/docker"
	"cicd/internal/edit"
	"cicd/rehearsal/aws/cloudwatchlogs"
	"cicd/rehearsal/world"
)

// applicationDrills are about what an application asks of its stack: secrets, a release command, processes and logs.
var applicationDrills = []Drill{
	{
		Name:   "secret-missing",
		Breaks: "the stack names a secret that nobody has given a value",
		Holds:  "the message has its name and the command; the old release goes on",
		Rows:   []int{61},
		run:    configured(map[string]any{"secrets": map[string]any{"API_KEY": ""}}, secretMissing),
	},
	{
		Name:   "secret-rotated",
		Breaks: "a secret gets another value",
		Holds:  "the next release of the same commit has it; nothing is rebuilt",
		Rows:   []int{62},
		run:    configured(map[string]any{"secrets": map[string]any{"API_KEY": ""}}, secretRotated),
	},
	{
		Name:   "release-command-fails",
		Breaks: "the release command fails",
		Holds:  "the old release goes on; the message has exit code and last output",
		Rows:   []int{63},
		run: configured(map[string]any{"releaseCommand": "fails"}, untouched(refused([]edit.Edit{misbehaving("version release-command")},
			"stage Deploy", "ApplicationStart", "start.sh", "release command", "exit code 4", "cannot alter the table"))),
	},
	{
		Name:   "release-command-hangs",
		Breaks: "the release command hangs (limit 3 s, not 15 minutes)",
		Holds:  "it is killed; the message has its limit and last output",
		Rows:   []int{63},
		run: configured(map[string]any{"releaseCommand": "hangs"}, untouched(refused([]edit.Edit{
			misbehaving("version release-command"), edit.Replace(releaseCommandLib, "RELEASE_COMMAND_SECONDS=900", "RELEASE_COMMAND_SECONDS=3"),
		}, "stage Deploy", "ApplicationStart", "start.sh", "release command", "3 s", "waiting for a lock"))),
	},
	{
		Name:   "worker-crashes",
		Breaks: "a worker ends as soon as it has started, again and again",
		Holds:  "the message has its name and last output; a rollback follows",
		Rows:   []int{64},
		run: configured(map[string]any{"processes": map[string]any{"mailer": "crashes"}}, workerless(refusedLate([]edit.Edit{misbehaving("version worker")},
			"stage Deploy", "mailer", "cannot reach the queue", "rolling back"))),
	},
	{
		Name:   "cloudwatch-away",
		Breaks: "CloudWatch Logs does not answer",
		Holds:  "the release succeeds with a warning; the next one's log arrives",
		Rows:   []int{65},
		run:    cloudWatchAway,
	},
}

const releaseCommandLib = "deploy-scripts/hooks/lib/release_command.sh"

// configured runs a drill with other settings of the stack, and puts the former back.
func configured(settings map[string]any, run func(context.Context, *drillEnv) error) func(context.Context, *drillEnv) error {
	return func(ctx context.Context, g *drillEnv) error {
		restore, err := g.Configure(ctx, settings)
		if err == nil {
			err = run(ctx, g)
		}
		if restore != nil {
			err = errors.Join(err, restore(ctx))
		}
		return err
	}
}

// untouched checks that after a failed release, and its rollback, the host runs what it ran before.
func untouched(run func(context.Context, *drillEnv) error) func(context.Context, *drillEnv) error {
	return func(ctx context.Context, g *drillEnv) error {
		h, err := g.Host()
		if err != nil {
			return err
		}
		before, err := running(ctx, h)
		if err != nil {
			return err
		}
		failed := run(ctx, g)
		after, err := running(ctx, h)
		if err == nil && before != after {
			err = fmt.Errorf("the host ran\n%safter the failure it runs\n%s", before, after)
		}
		return errors.Join(failed, err)
	}
}

// running lists the host's containers with their names and images.
func running(ctx context.Context, h *world.Host) (string, error) {
	list, err := docker.Run(ctx, "ps", "--all", "--no-trunc", "--format", "{{.Names}} {{.Image}} {{.State}}", "--filter", "name=^/"+h.App+"-")
	return strings.Join(slices.Sorted(strings.Lines(list)), ""), err
}

// workerless checks that no worker is left after a rollback to a release without any.
func workerless(run func(context.Context, *drillEnv) error) func(context.Context, *drillEnv) error {
	return func(ctx context.Context, g *drillEnv) error {
		failed := run(ctx, g)
		h, err := g.Host()
		if err != nil {
			return err
		}
		return errors.Join(failed, runsOnly(ctx, h, g.good))
	}
}

// refusedLate is refused for a failure after the switch: the new release answers until the rollback.
func refusedLate(edits []edit.Edit, texts ...string) func(context.Context, *drillEnv) error {
	return func(ctx context.Context, g *drillEnv) error {
		id, err := g.commit(ctx, "A change that serves before it fails", edits...)
		if err != nil {
			return err
		}
		g.released = append(g.released, id, g.good)
		if _, err = g.Release(ctx, g.dir, id); err == nil {
			return fmt.Errorf("the release of %.7s succeeded, but must fail", id)
		}
		return g.checkFailure(ctx, err, texts...)
	}
}

func secretMissing(ctx context.Context, g *drillEnv) error {
	return untouched(func(ctx context.Context, g *drillEnv) error {
		return g.refuses(ctx, []edit.Edit{g.harmless(ctx, "a missing secret")},
			"stage Deploy", "ApplicationStart", "start.sh", "API_KEY", "cicd secrets set API_KEY --stack "+g.Stack)
	})(ctx, g)
}

func secretRotated(ctx context.Context, g *drillEnv) error {
	parameter := g.SecretsPath() + "/API_KEY"
	defer g.Parameters().Remove(parameter)
	if err := g.Parameters().Set(parameter, "first"); err != nil {
		return err
	}
	done, err := g.releases(ctx, "With a secret", g.harmless(ctx, "a secret"))
	if err != nil {
		return err
	}
	if err := g.runsWithSecret(ctx, done.Commit, "first", 1); err != nil {
		return err
	}
	images, _ := g.Contents()
	const second = "second\nwith \"quotes\""
	if err := g.Parameters().Set(parameter, second); err != nil {
		return err
	}
	if err := g.releaseByHand(ctx, done.Commit); err != nil {
		return err
	}
	if now, _ := g.Contents(); now != images {
		return fmt.Errorf("the registry has %d images, but had %d before", now, images)
	}
	return g.runsWithSecret(ctx, done.Commit, second, 2)
}

// runsWithSecret checks the value of API_KEY in the serving container, and its version in the record of what runs.
func (g *drillEnv) runsWithSecret(ctx context.Context, commit, value string, version int) error {
	if err := g.runsWith(ctx, "API_KEY="+value); err != nil {
		return err
	}
	record, _ := g.Parameters().Lookup(g.SecretsPath() + "/running-release")
	if want := fmt.Sprintf(`{"commit":"%s","secrets":{"API_KEY":%d}}`, commit, version); record.Value != want {
		return fmt.Errorf("the record of the running release is %s, want %s", record.Value, want)
	}
	return nil
}

// runsWith checks that the serving container has a variable in its environment.
func (g *drillEnv) runsWith(ctx context.Context, variable string) error {
	h, err := g.Host()
	if err != nil {
		return err
	}
	names, err := h.Containers(ctx)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == h.EdgeName() })
	environment, err := docker.Run(ctx, append([]string{"inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}"}, names...)...)
	if err == nil && !strings.Contains("\n"+environment, "\n"+variable+"\n") {
		name, _, _ := strings.Cut(variable, "=")
		err = fmt.Errorf("the containers %q do not have the expected value of %s", names, name)
	}
	return err
}

func cloudWatchAway(ctx context.Context, g *drillEnv) error {
	g.Logs().SetAway(true)
	defer g.Logs().SetAway(false)
	if _, err := g.releases(ctx, "An application that talks", misbehaving("version away")); err != nil {
		return err
	}
	if !g.said("warning") || !g.said("CloudWatch") {
		return errors.New("no warning says that CloudWatch was away")
	}
	g.Logs().SetAway(false)
	done, err := g.releases(ctx, "The one after", misbehaving("version back"))
	if err != nil {
		return err
	}
	return g.logged(ctx, "web/"+done.Commit[:12], "listening")
}

// logged waits until a line of a container is in a log stream whose name begins with a prefix.
func (g *drillEnv) logged(ctx context.Context, prefix, line string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		found, err := g.Logs().FilterLogEvents(g.Authority().Administrator("drill"), cloudwatchlogs.FilterLogEventsInput{
			LogGroupName: g.Output("logGroup"), LogStreamNamePrefix: prefix,
		})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(found.Events, func(e cloudwatchlogs.FilteredLogEvent) bool { return e.Message == line }) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no log stream %s... has the line %q: %+v", prefix, line, found.Events)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
