package drill

import (
	"context"
	"errors"
	"fmt"

	"cicd/internal/edit"
)

// buildDrills fail before anything reaches a host.
var buildDrills = []Drill{
	{
		Name:   "tests-fail",
		Breaks: "a test of the application fails",
		Holds:  "nothing is built or released; the message shows the test's output",
		run: refused([]edit.Edit{edit.Write("webapp/Makefile", "test:\n\t@echo 'TestSum: got 41, want 42'; exit 1\n")},
			"stage Build", "the tests of commit", "failed: nothing is released", "TestSum: got 41, want 42"),
	},
	{
		Name:   "image-does-not-build",
		Breaks: "the Dockerfile copies a file that is not there",
		Holds:  "nothing is released; the message names the file",
		run: refused([]edit.Edit{edit.Write("webapp/Makefile", "all:\n"), edit.Write("webapp/Dockerfile", "FROM scratch\nCOPY nothing-there /\n")},
			"stage Build", "the image of commit", "was not built", "nothing-there"),
	},
	{
		Name:   "dockerfile-missing",
		Breaks: "a commit removes the Dockerfile",
		Holds:  "nothing is released; the message names the file",
		run:    refused([]edit.Edit{edit.Remove("webapp/Dockerfile")}, "stage Build", "webapp/Dockerfile does not exist", "an application needs one"),
	},
	{
		Name:   "makefile-broken",
		Breaks: "make cannot read webapp/Makefile",
		Holds:  "the build fails instead of skipping the tests",
		run:    refused([]edit.Edit{edit.Write("webapp/Makefile", "test\n\tfalse\n")}, "stage Build", "make cannot read webapp/Makefile", "missing separator"),
	},
	{
		Name:   "buildspec-typo",
		Breaks: "the buildspec has a key that CodeBuild does not know",
		Holds:  "the release succeeds, as in CodeBuild; a warning names the key",
		run:    typoIsToldOf,
	},
	{
		Name:   "runtime-not-named",
		Breaks: "the buildspec names no runtime; the default Go is too old",
		Holds:  "nothing is released; the message has Go's reason, its version and the remedy",
		run: refused([]edit.Edit{runtimes(""), edit.Write("webapp/Makefile", "test:\n\tcd drill && go vet .\n"),
			edit.Write("webapp/drill/go.mod", "module drill\n\ngo 1.24\n"),
			edit.Write("webapp/drill/main.go", "package main\n\nimport \"cmp\"\n\nfunc main() { println(cmp.Compare(1, 2)) }\n")},
			"stage Build", "module requires Go 1.24", "CodeBuild has Go 1.20.14, the default of", "phases.install.runtime-versions"),
	},
	{
		Name:   "runtime-unknown",
		Breaks: "the buildspec names runtimes that the image does not offer",
		Holds:  "nothing is built; the message names each of them, and the offered ones",
		run: refused([]edit.Edit{runtimes("php: 7.4, elixir: 1.18")},
			"stage Build", "Unknown runtime version named '7.4' of php", "8.2, 8.3", "Unknown runtime named 'elixir'", "golang, java"),
	},
	{
		Name:   "appspec-missing",
		Breaks: "the bundle has no appspec.yml at its root",
		Holds:  "the message says where the file must be",
		Rows:   []int{27},
		run:    refused([]edit.Edit{edit.Replace("deploy-scripts/buildspec.yml", "    - appspec.yml\n", "")}, "appspec.yml", "root"),
	},
	{
		Name:   "commit-built-again",
		Breaks: "the pipeline runs again for a commit that it has built",
		Holds:  "it succeeds with the existing image; nothing is built or pushed",
		Rows:   []int{19},
		run:    rerun,
	},
}

// runtimes makes a buildspec that names only these runtimes, and tests and builds the application.
func runtimes(named string) edit.Edit {
	return edit.Write("deploy-scripts/buildspec.yml", "version: 0.2\nphases:\n  install:\n    runtime-versions: {"+named+"}\n"+
		"  build:\n    commands:\n      - bash deploy-scripts/build/image.sh\n")
}

func typoIsToldOf(ctx context.Context, g *drillEnv) error {
	misspelt := edit.Replace("deploy-scripts/buildspec.yml", "phases:", "fases: {}\nphases:")
	if _, err := g.releases(ctx, "A misspelt key", misspelt); err != nil {
		return err
	}
	if !g.said("warning") || !g.said("fases") {
		return errors.New("no warning names the unknown key fases")
	}
	return nil
}

// refused returns a drill's run: a release that must fail with a message that contains all the texts.
func refused(edits []edit.Edit, texts ...string) func(context.Context, *drillEnv) error {
	return func(ctx context.Context, g *drillEnv) error { return g.refuses(ctx, edits, texts...) }
}

// rerun releases the serving commit again.
func rerun(ctx context.Context, g *drillEnv) error {
	images, _ := g.Contents()
	if err := g.releaseByHand(ctx, g.good); err != nil {
		return err
	}
	if now, _ := g.Contents(); now != images {
		return fmt.Errorf("the registry has %d images, but had %d before", now, images)
	}
	return nil
}
