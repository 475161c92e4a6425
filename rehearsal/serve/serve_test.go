package serve

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"cicd/internal/docker/dockertest"
	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/rehearsal"
	"cicd/rehearsal/console"
	"cicd/rehearsal/rehearsaltest"
	"cicd/rehearsal/world"
)

// transcript is what a rehearsal that runs beside the test has written so far.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
	grew chan struct{} // has room for one
	done chan error    // of the rehearsal
}

func (l *transcript) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.grew <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await waits for a line that matches, and returns it.
func (l *transcript) await(t *testing.T, pattern string) string {
	t.Helper()
	line := regexp.MustCompile("(?m)^" + pattern + "$")
	deadline := time.After(15 * time.Minute)
	for {
		if found := line.FindString(l.String()); found != "" {
			return found
		}
		select {
		case <-l.grew:
		case err := <-l.done:
			l.done <- err
			t.Fatalf("the rehearsal ended (%v) before it wrote %q:\n%s", err, pattern, l)
		case <-deadline:
			t.Fatalf("the rehearsal did not write %q:\n%s", pattern, l)
		}
	}
}

// served runs a rehearsal of a project that serves until the test ends.
func served(t *testing.T, project string) *transcript {
	t.Helper()
	clean := rehearsaltest.WantClean(t, project)
	ctx, interrupt := context.WithCancel(context.Background())
	log := &transcript{grew: make(chan struct{}, 1), done: make(chan error, 1)}
	go func() {
		log.done <- rehearsal.Run(ctx, rehearsaltest.Options(project, rehearsal.DefaultStack, log), Scenario{})
	}()
	t.Cleanup(func() {
		interrupt()
		if err := <-log.done; err != nil {
			t.Errorf("the rehearsal that was interrupted ended with %v", err)
		}
		clean()
	})
	return log
}

// TestServe does what a user does with the command that --serve prints, under Git settings that would get in its way.
func TestServe(t *testing.T) {
	dockertest.Need(t)
	project := rehearsaltest.NewLFSProject(t)
	rehearsaltest.AdoptGitSettings(t)
	log := served(t, project)
	log.await(t, `http://127\.0\.0\.1:\d+ serves until you press Ctrl-C\. Release a commit:`)
	command := strings.TrimSpace(log.await(t, `  git .*push .* HEAD:main`))
	logDir := strings.TrimSpace(log.await(t, `  .*/\.rehearsal/dev-\w+`))
	operator := strings.TrimSpace(log.await(t, `  \. .*/operator\.env`))
	if out, err := exec.Command("bash", "-c", operator+` && echo "$AWS_REGION $(session-manager-plugin --version)"`).CombinedOutput(); err != nil || string(out) != "eu-central-1 1.2.650.0\n" {
		t.Errorf("%s: %v, %q, want the region and the plugin's version", operator, err, out)
	}
	paste := func() string {
		t.Helper()
		cmd := exec.Command("bash", "-c", command)
		cmd.Dir = project
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s%s", command, err, out, log)
		}
		return string(out)
	}
	if said := paste(); !strings.Contains(said, "Everything up-to-date") {
		t.Errorf("git push of what serves already said %q", said)
	}
	for _, text := range []string{"one", "two"} {
		testproject.Apply(t, project, edit.Write(world.Greeting, text+"\n"))
		id := testproject.Commit(t, project, text)
		if said := paste(); !strings.Contains(said, "releases "+id[:7]) {
			t.Errorf("git push said %q, want that a pipeline releases the commit", said)
		}
		log.await(t, `  live +http://127\.0\.0\.1:\d+ serves `+id[:7]+` +\d+\.\d s`)
	}
	for line := range strings.Lines(log.String()) {
		if n := utf8.RuneCountInString(strings.TrimSpace(line)); n > console.Width && !strings.Contains(line, command) && !strings.Contains(line, logDir) {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}

	testproject.Apply(t, project, edit.Write("webapp/Makefile", "test:\n\t@echo 'TestSum: got 41, want 42'; exit 1\n"))
	id := testproject.Commit(t, project, "Broken")
	paste()
	log.await(t, ` +the release of `+id[:7]+` ended Failed`)
	log.await(t, ` +.*TestSum: got 41, want 42.*`)
	whole := strings.TrimSpace(log.await(t, ` +`+regexp.QuoteMeta(logDir)+`/.+\.log`))
	if content, err := os.ReadFile(whole); err != nil || !strings.Contains(string(content), "TestSum: got 41, want 42\n") {
		t.Errorf("%s has %q (%v), want what the build printed", whole, content, err)
	}

	clone := filepath.Join(t.TempDir(), "clone")
	words := strings.Fields(command)
	testproject.Git(t, "", "clone", "--quiet", words[len(words)-2], clone)
	if branch, head := testproject.Git(t, clone, "symbolic-ref", "--short", "HEAD"), testproject.Git(t, clone, "rev-parse", "HEAD"); branch != "main" || head != id {
		t.Errorf("a clone has %s at %s, want main at %s", branch, head, id)
	}
}
