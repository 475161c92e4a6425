package drill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cicd/internal/edit"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/codepipeline"
	"cicd/rehearsal/aws/iam"
)

// pipelineDrills are about what starts a release, and which release wins.
var pipelineDrills = []Drill{
	{
		Name:   "three-pushes",
		Breaks: "three pushes arrive within a second",
		Holds:  "the last one wins, one is superseded, none is served out of order",
		Rows:   []int{34, 35},
		run:    threePushes,
	},
	{
		Name:   "other-branch",
		Breaks: "a push goes to a branch that the pipeline does not watch",
		Holds:  "nothing starts",
		run:    otherBranch,
	},
	{
		Name:   "outside-watch-paths",
		Breaks: "a push changes only documentation (no file of watchPaths)",
		Holds:  "nothing starts",
		Rows:   []int{9},
		run:    outsideWatchPaths,
	},
	{
		Name:   "rollback-by-hand",
		Breaks: "somebody releases the previous commit again, manually",
		Holds:  "it serves again, without a build; the next push goes forward",
		Rows:   []int{19},
		run:    rollbackByHand,
	},
	{
		Name:   "iam-not-yet",
		Breaks: "a release starts before IAM knows a new policy",
		Holds:  "Source tries once more; if that is too early, the message says so",
		Rows:   []int{14},
		run:    iamNotYet,
	},
}

func threePushes(ctx context.Context, g *drillEnv) error {
	var executions []*codepipeline.Execution
	for i := range 3 {
		id, err := g.commit(ctx, fmt.Sprintf("Push %d of 3", i+1), g.harmless(ctx, fmt.Sprintf("push %d of 3", i+1)))
		if err != nil {
			return err
		}
		g.released = append(g.released, id)
	}
	for _, id := range g.released[1:] {
		started, err := g.PushTo(ctx, g.dir, id, g.Branch())
		if err != nil {
			return err
		}
		if len(started) != 1 {
			return fmt.Errorf("the push of %.7s started %d executions, want one", id, len(started))
		}
		executions = append(executions, started...)
	}
	superseded := 0
	for i, e := range executions {
		switch status, err := e.Wait(ctx); {
		case status == codepipeline.Superseded:
			superseded++
		case status != codepipeline.Succeeded:
			return fmt.Errorf("push %d of 3 ended %s: %w", i+1, status, err)
		case i == 2 && superseded == 0:
			return errors.New("none was superseded, so each was released for nothing")
		}
	}
	return g.Serves(ctx, g.released[3])
}

func otherBranch(ctx context.Context, g *drillEnv) error {
	if _, err := g.commit(ctx, "For another branch", g.harmless(ctx, "another branch")); err != nil {
		return err
	}
	const branch = "drill"
	started, pushed := g.PushTo(ctx, g.dir, "HEAD", branch)
	if _, err := g.Repository().Push(ctx, g.dir, "", branch); err != nil {
		return errors.Join(pushed, err)
	}
	return g.wantNothingStarted(ctx, started, pushed)
}

func outsideWatchPaths(ctx context.Context, g *drillEnv) error {
	if _, err := g.commit(ctx, "Documentation", edit.Write("docs/drill.md", "Nothing to release.\n")); err != nil {
		return err
	}
	started, err := g.PushTo(ctx, g.dir, "HEAD", g.Branch())
	return g.wantNothingStarted(ctx, started, err)
}

// wantNothingStarted checks that a push started nothing for want of a trigger. It waits for what did start, and fails.
func (g *drillEnv) wantNothingStarted(ctx context.Context, started []*codepipeline.Execution, pushed error) error {
	for _, e := range started {
		e.Wait(ctx)
	}
	if !errors.Is(pushed, codepipeline.ErrUnwatched) {
		return errors.Join(fmt.Errorf("the push started %d executions, want none for want of a trigger", len(started)), pushed)
	}
	return g.Serves(ctx, g.good)
}

func rollbackByHand(ctx context.Context, g *drillEnv) error {
	if _, err := g.releases(ctx, "Good for the pipeline, and bad for the users", g.harmless(ctx, "a bad idea")); err != nil {
		return err
	}
	images, _ := g.Contents()
	if err := g.releaseByHand(ctx, g.good); err != nil {
		return err
	}
	if now, _ := g.Contents(); now != images {
		return fmt.Errorf("the registry has %d images, but had %d before", now, images)
	}
	return nil
}

// releaseByHand releases a commit manually.
func (g *drillEnv) releaseByHand(ctx context.Context, commit string) error {
	e, err := g.Start(ctx, commit)
	if err != nil {
		return err
	}
	g.released = append(g.released, commit)
	if status, err := e.Wait(ctx); status != codepipeline.Succeeded {
		return fmt.Errorf("the release of %.7s by hand ended %s: %w", commit, status, err)
	}
	return g.Serves(ctx, commit)
}

// iamNotYet replaces the policy of the pipeline's role by a new one with the same text, just before a release. The
// second time it takes IAM longer to spread it than CodePipeline to try again.
func iamNotYet(ctx context.Context, g *drillEnv) error {
	before := len(g.Authority().TooEarly())
	if err := renewPolicy(g.Account()); err != nil {
		return err
	}
	done, err := g.releases(ctx, "With a new policy", g.harmless(ctx, "a new policy"))
	if err != nil {
		return err
	}
	if len(g.Authority().TooEarly()) == before {
		return errors.New("no request came too early, so the policy was not new")
	}
	g.good = done.Commit
	g.Authority().SetSpread(time.Minute)
	defer g.Authority().SetSpread(iam.Spread)
	if err := renewPolicy(g.Account()); err != nil {
		return err
	}
	return g.refuses(ctx, []edit.Edit{g.harmless(ctx, "a policy that takes longer")}, "stage Source", "is not authorized to perform", "IAM has not spread", "release again")
}

// renewPolicy replaces the policies of the pipeline's role by new ones with the same text.
func renewPolicy(acct *account.Account) error {
	for _, pipeline := range acct.ByType(account.Pipeline) {
		role, _ := acct.Find(account.Role, "arn", pipeline.String("roleArn"))
		for _, policy := range acct.ByType(account.RolePolicy) {
			if name := policy.String("role"); name == role.ID || name == role.String("name") {
				acct.Delete(policy.URN, policy.ID)
				acct.Put(policy)
				return nil
			}
		}
	}
	return errors.New("the pipeline's role has no policy")
}
