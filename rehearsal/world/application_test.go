package world_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cicd/internal/docker"
	"cicd/internal/testproject"
	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/cloudwatchlogs"
	"cicd/rehearsal/rehearsaltest"
	"cicd/rehearsal/world"
)

// canaries are a part of each secret of the full stack.
var canaries = []string{"canary-api-key", "canary-queue", "password with 'quotes'"}

// TestApplication releases an application with every key that it can use, twice. Its containers have its settings, its
// logs arrive, and its secrets are nowhere else.
func TestApplication(t *testing.T) {
	project := testproject.New(t)
	testproject.UseAllKeys(t, project)
	r, log := rehearsaltest.StartedStack(t, project, testproject.FullStack)
	release, _, err := r.ReleaseChange(t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, rehearsaltest.Tail(log))
	}
	containers := containersOf(t, r)
	if len(containers) != 2 {
		t.Errorf("besides the edge there are the containers %q, want the application's and the worker's", containers)
	}
	for _, name := range containers {
		checkEnvironment(t, name, release.Commit)
	}
	for prefix, line := range map[string]string{"web/": "listening", "mailer/": "working", "release-command/": "migrated with 3 arguments"} {
		awaitLine(t, r, prefix+release.Commit[:12], line)
	}
	const warning = "warning: QUEUE_URL has a URL with port 5671, which the security group does not let out"
	if shown := strings.Join(strings.Fields(log.String()), " "); !strings.Contains(shown, warning) || strings.Contains(shown, "AmazonS3ReadOnlyAccess") == false {
		t.Errorf("the console lacks %q, or what AmazonS3ReadOnlyAccess does not rehearse:\n%s", warning, log)
	}
	checkNowhere(t, r, log)
}

func containersOf(t *testing.T, r *world.World) []string {
	t.Helper()
	h, err := r.Host()
	if err != nil {
		t.Fatal(err)
	}
	names, err := h.Containers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == h.EdgeName() })
}

// checkEnvironment checks the variables of a container.
func checkEnvironment(t *testing.T, container, commit string) {
	t.Helper()
	environment, err := docker.Run(t.Context(), "inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", container)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"LOG_LEVEL=debug", "MESSAGE=two\nlines with \"quotes\" and a \\", "API_KEY=canary-api-key",
		"QUEUE_URL=amqps://user:canary-queue@queue.example.com", "DB_PASSWORD=canary\npassword with 'quotes'", "RELEASE_COMMIT=" + commit,
	} {
		if !strings.Contains("\n"+environment, "\n"+want+"\n") {
			t.Errorf("container %s lacks %q", container, want)
		}
	}
}

// awaitLine waits until a log stream whose name begins with a prefix has a line.
func awaitLine(t *testing.T, r *world.World, prefix, line string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		found, err := r.Logs().FilterLogEvents(r.Authority().Administrator("test"),
			cloudwatchlogs.FilterLogEventsInput{LogGroupName: r.Output("logGroup"), LogStreamNamePrefix: prefix})
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(found.Events, func(e cloudwatchlogs.FilteredLogEvent) bool { return strings.Contains(e.Message, line) }) {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("no stream %s... has a line with %q: %+v", prefix, line, found.Events)
			return
		}
	}
}

// checkNowhere looks for the secrets where none may be: on the console, in every file of the rehearsal (Pulumi's state and
// settings, what builds and hosts leave, unpacked bundles, artifacts), in what is declared, in images and in the arguments of
// containers.
func checkNowhere(t *testing.T, r *world.World, log *bytes.Buffer) {
	t.Helper()
	where := map[string][]byte{"the console": log.Bytes()}
	for _, resource := range r.Account().All() {
		for name := range resource.Properties {
			where[resource.URN+" "+name] = []byte(resource.String(name))
		}
	}
	if len(r.Account().ByType(account.BucketObject)) != 2 {
		t.Error("there are no objects with the stack's settings and scripts to look into")
	}
	err := filepath.WalkDir(r.Workspace.Dir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		where[path], err = os.ReadFile(path)
		return err
	})
	if err != nil || len(where) < 100 {
		t.Errorf("only %d places were looked into: %v", len(where), err)
	}
	for _, container := range containersOf(t, r) {
		for _, format := range []string{"{{json .Config.Cmd}} {{json .Config.Entrypoint}} {{json .Config.Labels}} {{json .Args}}", "{{.Image}}"} {
			about, err := docker.Run(t.Context(), "inspect", "--format", format, container)
			if err != nil {
				t.Fatal(err)
			}
			where[container+" "+format] = []byte(about)
		}
		image := strings.TrimSpace(string(where[container+" {{.Image}}"]))
		history, err := docker.Run(t.Context(), "history", "--no-trunc", image)
		if err != nil {
			t.Fatal(err)
		}
		about, err := docker.Run(t.Context(), "image", "inspect", image)
		if err != nil {
			t.Fatal(err)
		}
		where["image "+image] = []byte(history + about)
	}
	for place, content := range where {
		for _, canary := range canaries {
			if bytes.Contains(content, []byte(canary)) {
				t.Errorf("%s has the secret with %q in it", place, canary)
			}
		}
	}
}
