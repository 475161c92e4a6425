package deployscripts_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func process(name string, list ...string) []string { return words("PROCESS "+name, list...) }

// workers lists this host's workers, each as its process, commit and state, sorted.
func (h *host) workers() []string {
	h.t.Helper()
	out, err := exec.Command("docker", "container", "ls", "--all", "--filter", "label=com.cicd.worker="+h.app,
		"--format", `{{.Label "com.cicd.process"}} {{.Label "com.cicd.commit"}} {{.State}}`).Output()
	if err != nil {
		h.t.Fatal(err)
	}
	var workers []string
	for line := range strings.Lines(string(out)) {
		field := strings.Fields(line)
		workers = append(workers, field[0]+" "+strings.TrimLeft(field[1], "0")+" "+field[2])
	}
	slices.Sort(workers)
	return workers
}

func (h *host) wantWorkers(want ...string) {
	h.t.Helper()
	if got := h.workers(); !slices.Equal(got, want) {
		h.t.Errorf("workers %q, want %q", got, want)
	}
}

// steadySoon makes validate.sh watch workers for a shorter time.
func steadySoon(t *testing.T, bundle string) {
	t.Helper()
	edit(t, filepath.Join(bundle, "hooks", "validate.sh"), `STEADY_SECONDS=\d+`, "STEADY_SECONDS=2")
}

func TestWorkersFollowReleases(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	one, two, three := h.mustBuild(1, app(t, "one", "")), h.mustBuild(2, app(t, "two", "")), h.mustBuild(3, app(t, "three", ""))
	for _, bundle := range []string{one, two, three} {
		steadySoon(t, bundle)
	}
	settle(t, one, slices.Concat(process("mailer", "work", "a b", "", "c"), process("worker", "work"))...)
	h.mustDeploy(one)
	h.wantWorkers("mailer 1 running", "worker 1 running")
	mailer := docker(t, "container ls --quiet --filter name=^/"+h.app+"-mailer-"+commitID(1)[:12])
	if got := docker(t, "container logs "+mailer); got != `at work: ["a b" "" "c"]` {
		t.Errorf("the worker says %q, want its words", got)
	}
	if got := docker(t, "container inspect --format {{.HostConfig.RestartPolicy.Name}},{{.HostConfig.PortBindings}},{{.Config.StopTimeout}} "+mailer); got != "unless-stopped,map[],30" {
		t.Errorf("a worker has %s, want that it survives reboots, has no port, and 30 s to stop", got)
	}

	settle(t, two, process("worker", "work")...) // one process less
	h.mustDeploy(two)
	h.wantAnswer(t, "two")
	h.wantWorkers("worker 2 running")
	h.mustDeploy(two) // the same again
	h.wantWorkers("worker 2 running")
	docker(t, "container stop "+docker(t, "container ls --quiet --filter label=com.cicd.worker="+h.app))
	h.mustDeploy(two) // replaces one that somebody stopped
	h.wantWorkers("worker 2 running")

	settle(t, three)
	h.mustDeploy(three)
	h.wantWorkers()
	if got := strings.Fields(h.names()); len(got) != 2 {
		t.Errorf("containers %q, want the edge and the serving one", got)
	}
}

// TestWorkersThatDoNotWork has a worker that ends by itself, one that cannot start beside one that can, and one that
// does not end when it is asked to.
func TestWorkersThatDoNotWork(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	build := func(n int, lines ...string) string {
		bundle := h.mustBuild(n, func(webapp string) {
			app(t, "one", "")(webapp)
			edit(t, filepath.Join(webapp, "Dockerfile"), `ENTRYPOINT .*`, `CMD ["/app"]`)
		})
		settle(t, bundle, lines...)
		edit(t, filepath.Join(bundle, "settings.env"), `STOP_SECONDS=\d+`, "STOP_SECONDS=2")
		return bundle
	}
	good := build(1, process("worker", "/app", "deaf", "reason")...)
	h.mustDeploy(good)

	crashes := build(2, process("worker", "/app", "crash")...)
	output, err := h.deploy(crashes)
	want := "warning: the process worker of commit " + commitID(1) + " had not ended 2 s after SIGTERM and was killed"
	if !strings.Contains(output, want) || !strings.Contains(output, "its last output: hears nothing of reason") {
		t.Errorf("want %q, and its last words:\n%s", want, output)
	}
	ended := "the process worker of commit " + commitID(2) + " has ended "
	if err == nil || !strings.HasPrefix(err.Error(), "hooks/validate.sh") || !strings.Contains(lastLine(output), ended) || !strings.Contains(lastLine(output), "its last output: no queue") {
		t.Errorf("deploy: %v, want %q and its last output as the last line:\n%s", err, ended, output)
	}
	steady := build(3, process("worker", "/app", "work")...)
	if output, err := h.deploy(steady); err != nil || !strings.Contains(output, "warning: "+ended) {
		t.Errorf("the next release: %v, want a warning with %q:\n%s", err, ended, output)
	}

	absent := build(4, slices.Concat(process("absent", "/bin/absent"), process("worker", "/app", "work"))...)
	output, err = h.deploy(absent)
	if want := "the process absent of commit " + commitID(4) + " does not start: "; err == nil || !strings.Contains(lastLine(output), want) || !strings.Contains(lastLine(output), "/bin/absent") {
		t.Errorf("deploy: %v, want %q as the last line:\n%s", err, want, output)
	}
	h.wantWorkers("worker 3 running")
	h.mustDeploy(steady)
	h.wantWorkers("worker 3 running")
}

// TestWorkerIsStoppedBySomebody: validate.sh finds that one does not run, though Docker has not started it again.
func TestWorkerIsStoppedBySomebody(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	bundle := h.mustBuild(1, app(t, "one", ""))
	settle(t, bundle, process("worker", "work")...)
	h.mustDeploy(bundle)
	worker := docker(t, "container ls --quiet --filter label=com.cicd.worker="+h.app)
	docker(t, "container stop "+worker)
	out, err := h.run(h.hook(bundle, "hooks/validate.sh"))
	if want := "the process worker of commit " + commitID(1) + " is exited; its last output: done"; err == nil || !strings.Contains(lastLine(out), want) {
		t.Errorf("validate.sh: %v, want %q as the last line:\n%s", err, want, out)
	}
	docker(t, "container rm "+worker)
	out, err = h.run(h.hook(bundle, "hooks/validate.sh"))
	if want := "the process worker of commit " + commitID(1) + " has no worker"; err == nil || !strings.Contains(lastLine(out), want) {
		t.Errorf("validate.sh: %v, want %q as the last line:\n%s", err, want, out)
	}
}

// TestWorkersCutShort ends start.sh while it replaces workers. Whatever is left, the next release replaces all of it.
func TestWorkersCutShort(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	one, two := h.mustBuild(1, app(t, "old", "")), h.mustBuild(2, app(t, "new", ""))
	for _, bundle := range []string{one, two} {
		steadySoon(t, bundle)
		settle(t, bundle, slices.Concat(process("mailer", "work"), process("worker", "work"))...)
	}
	h.mustDeploy(one)
	if out, err := h.run(h.hook(two, "hooks/prepare.sh")); err != nil {
		t.Fatalf("prepare.sh: %v\n%s", err, out)
	}
	old, half, all := "mailer 1, worker 1", "mailer 1, mailer 2, worker 1", "mailer 1, mailer 2, worker 1, worker 2"
	for _, tt := range []struct {
		way  string
		at   moment
		left string
	}{
		{term, moment{2, "container run"}, old}, // before the first worker
		{term, moment{3, "container run"}, old}, // between two
		{broken, moment{3, "container run"}, old},
		{kill, moment{2, "container run"}, half}, // Docker has the command already
		{kill, moment{1, "container stop"}, all},
	} {
		output := h.cut(two, "hooks/start.sh", tt.way, tt.at)
		if tt.way == kill {
			h.wantNoProcess("start.sh")
		} else {
			h.wantNothingLeft("start.sh")
		}
		if got := strings.ReplaceAll(strings.Join(h.workers(), ", "), " running", ""); got != tt.left {
			t.Errorf("%s at %s (%d): workers %q, want %q; all:\n%s", tt.way, tt.at.words, tt.at.nth, got, tt.left, output)
		}
		h.wantAnswer(t, "new") // the web container had switched
		h.mustDeploy(one)
		h.wantAnswer(t, "old")
		h.wantWorkers("mailer 1 running", "worker 1 running")
		if got := strings.Fields(h.names()); len(got) != 4 {
			t.Errorf("containers %q, want the edge, the serving one and two workers", got)
		}
	}
}

// TestTidyHostWithWorkers: workers alone are nothing to repair, which would take time.
func TestTidyHostWithWorkers(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	bundle := h.mustBuild(1, app(t, "one", ""))
	settle(t, bundle, process("worker", "work")...)
	h.mustDeploy(bundle)
	h.wrapDocker(`echo "$*" >>"${BASH_SOURCE[0]%/*}/noted"`)
	if out, err := h.run(h.hook(bundle, "hooks/prepare.sh")); err != nil {
		t.Fatalf("prepare.sh: %v\n%s", err, out)
	}
	if noted := h.noted(); strings.Contains(noted, "-retired") || !strings.Contains(noted, "container ls") {
		t.Errorf("prepare.sh looks for what to repair:\n%s", noted)
	}
}
