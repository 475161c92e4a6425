package drill

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cicd/internal/edit"

	"cicd/rehearsal/github"
)

const (
	startHook    = "deploy-scripts/hooks/start.sh"
	validateHook = "deploy-scripts/hooks/validate.sh"
	appspec      = "deploy-scripts/appspec.yml"
)

// hookDrills are about the scripts of a bundle and the agent that runs them.
var hookDrills = []Drill{
	{
		Name:   "hook-missing",
		Breaks: "the appspec names a script that is not in the bundle",
		Holds:  "the message names the script, and where to look",
		Rows:   []int{21},
		run: refusedLate([]edit.Edit{edit.Replace(appspec, "hooks/validate.sh", "hooks/nowhere.sh")},
			"stage Deploy", "ValidateService", "hooks/nowhere.sh", "Script does not exist at specified location", "artifacts in the buildspec"),
	},
	{
		Name:   "hook-crlf",
		Breaks: "a hook has CR LF line endings",
		Holds:  "the message says so; AWS's own does not",
		Rows:   []int{28},
		run: refused([]edit.Edit{edit.Replace(startHook, "\n", "\r\n"), edit.Write(".gitattributes", "* -text\n")},
			"stage Deploy", "ApplicationStart", "CR LF", ".gitattributes"),
	},
	{
		Name:   "hook-hangs",
		Breaks: "a hook hangs (timeout 2 s)",
		Holds:  "it is ended at its timeout; the message names it",
		Rows:   []int{31, 33},
		run: refusedLate([]edit.Edit{edit.Write(validateHook, "#!/bin/bash\nsleep 600 &\nwait\n"), validateWithin2s},
			"stage Deploy", "ScriptTimedOut", "hooks/validate.sh", "failed to complete in 2 seconds", "raise timeout"),
	},
	{
		Name:   "hook-holds-output",
		Breaks: "a hook's child holds its output open (timeout 2 s)",
		Holds:  "the message says what holds it open, and the remedy",
		Rows:   []int{31},
		run: refusedLate([]edit.Edit{edit.Write(validateHook, "#!/bin/bash\nsleep 600 &\n"), validateWithin2s},
			"stage Deploy", "hooks/validate.sh", "failed to close STDOUT", "redirect"),
	},
	{
		Name:   "hook-wants-home",
		Breaks: "a hook reads $HOME, which the agent does not have",
		Holds:  "the release fails here as on AWS; the message names the variable",
		Rows:   []int{52},
		run: refused([]edit.Edit{edit.Write(startHook, "#!/bin/bash\nif [[ -v TMPDIR ]]; then exit; fi\nset -u\ncd \"$HOME\"\n")},
			"stage Deploy", "ApplicationStart", "hooks/start.sh", "HOME: unbound variable"),
	},
	{
		Name:   "hook-prints-latin1",
		Breaks: "a hook prints a byte that is not UTF-8",
		Holds:  "the release fails here as on AWS; the message says why, which AWS's own does not",
		Rows:   []int{56},
		run: refused([]edit.Edit{edit.Write(startHook, "#!/bin/bash\nprintf 'caf\\xe9\\n'\n")},
			"stage Deploy", "ApplicationStart", "hooks/start.sh", "Attempting minimal diagnostics", "not UTF-8"),
	},
	{
		Name:   "appspec-with-mark",
		Breaks: "the appspec begins with a byte order mark",
		Holds:  "the release fails here as on AWS; the message names the mark",
		Rows:   []int{57},
		run: refused([]edit.Edit{edit.Replace(appspec, "version: 0.0", "\ufeffversion: 0.0")},
			"stage Deploy", "BeforeInstall", "unsupported operating system ()", "byte order mark"),
	},
	{
		Name:   "hook-fails",
		Breaks: "a hook fails with a reason as its last line",
		Holds:  "the message has instance, event, script, exit code and that line",
		Rows:   []int{21},
		run: refused([]edit.Edit{edit.Write(startHook, "#!/bin/bash\necho 'the licence has run out' >&2\nexit 7\n")},
			"stage Deploy", "i-", "ApplicationStart", "hooks/start.sh", "exit code 7", "the licence has run out"),
	},
	{
		Name:   "wrong-release-answers",
		Breaks: "the start hook reports success and changes nothing",
		Holds:  "the release fails: the host still answers with the old release",
		Rows:   []int{37},
		run: refused([]edit.Edit{edit.Write(startHook, "#!/bin/bash\n")},
			"stage Deploy", "ValidateService", "hooks/validate.sh", "hooks/start.sh has not switched", "rolling back"),
	},
	{
		Name:   "agent-mends",
		Breaks: "a hook is not executable, the appspec has a typo",
		Holds:  "the release succeeds, as with AWS's agent; a warning names the key",
		run:    agentMends,
	},
}

// validateWithin2s shortens the only timeout that a build does not extend: see deploy-scripts/build/bundle.sh.
var validateWithin2s = edit.Replace(appspec, "timeout: 180", "timeout: 2")

func agentMends(ctx context.Context, g *drillEnv) error {
	id, err := g.commit(ctx, "What the agent mends", edit.Replace(appspec, "hooks:", "fils: []\nhooks:"), edit.Mode(startHook, 0o644))
	if err != nil {
		return err
	}
	entry, err := github.Git(ctx, g.dir, "ls-tree", id, startHook)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(entry, "100644") {
		return fmt.Errorf("the hook is executable in the commit: %s", entry)
	}
	g.released = append(g.released, id)
	if _, err := g.Release(ctx, g.dir, id); err != nil {
		return err
	}
	if !g.said("warning") || !g.said("fils") {
		return errors.New("no warning names the unknown key fils")
	}
	return nil
}
