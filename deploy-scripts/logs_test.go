package deployscripts_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestContainersLogToCloudWatch checks where each container logs, and that its stream is created.
func TestContainersLogToCloudWatch(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	bundle := h.mustBuild(1, app(t, "one", ""))
	steadySoon(t, bundle)
	settle(t, bundle, slices.Concat(command("print", "PORT"), process("mailer", "work"), process("worker", "work"))...)
	h.mustDeploy(bundle)
	lines := strings.Split(strings.TrimSpace(readFile(t, filepath.Join(h.home, "logs"))), "\n")
	streams := map[string]bool{}
	for _, input := range h.services.made("CreateLogStream") {
		var in struct{ LogGroupName, LogStreamName string }
		if err := json.Unmarshal([]byte(input), &in); err != nil || in.LogGroupName != "/cicd/dev" {
			t.Errorf("CreateLogStream %s: %v, want the stack's group", input, err)
		}
		streams[in.LogStreamName] = true
	}
	for i, process := range []string{"release-command", "web", "mailer", "worker"} {
		want := `^awslogs-region=eu-central-1 awslogs-group=/cicd/dev awslogs-stream=(` + process + `/` + commitID(1)[:12] + `/[0-9A-Za-z-]+) awslogs-create-stream=false ` +
			`mode=non-blocking max-buffer-size=4m cache-max-size=10m cache-max-file=3$`
		found := regexp.MustCompile(want).FindStringSubmatch(strings.TrimSpace(lines[min(i, len(lines)-1)]))
		if found == nil {
			t.Errorf("container %d logs with %q, want a match of %q", i, lines, want)
		} else if !streams[found[1]] {
			t.Errorf("nobody creates the stream %s", found[1])
		}
	}
	if len(lines) != 4 || len(streams) != 4 {
		t.Errorf("%d containers, %d streams, want 4 of each", len(lines), len(streams))
	}
}

// TestWithoutCloudWatch has a CloudWatch that refuses, one that does not answer, and one that has the stream.
func TestWithoutCloudWatch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, want string // want is of the warning, "" for none
		refused    []string
		pause      time.Duration
	}{
		{"refuses", `lacks web/0{12}/[0-9A-Za-z-]+: until the next release, only docker container logs has what these containers print: +An error occurred \(AccessDeniedException\)`, []string{"AccessDeniedException"}, 0},
		{"is busy for a moment", "", []string{"ThrottlingException", success}, 0},
		{"has it", "", []string{"ResourceAlreadyExistsException"}, 0},
		{"does not answer", `no answer within 4 s`, nil, time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			bundle := h.mustBuild(1, app(t, "one", ""))
			edit(t, filepath.Join(bundle, "hooks", "lib", "logs.sh"), `LOGS_SECONDS=\d+`, "LOGS_SECONDS=4")
			h.services.refused["CreateLogStream"], h.services.slow["CreateLogStream"] = tt.refused, tt.pause
			output, err := h.deploy(bundle)
			if err != nil || (tt.want == "") == strings.Contains(output, "warning") || !regexp.MustCompile(tt.want).MatchString(output) {
				t.Errorf("deploy: %v, want a warning that matches %q:\n%s", err, tt.want, output)
			}
			h.wantAnswer(t, "one")
			if tt.pause == 0 {
				return
			}
			// A release that fails takes the call along: h.deploy looks for processes.
			edit(t, filepath.Join(bundle, "hooks", "lib", "logs.sh"), `LOGS_SECONDS=\d+`, "LOGS_SECONDS=600")
			edit(t, filepath.Join(bundle, "hooks", "prepare.sh"), `MINIMUM_FREE_MIB=\d+`, "MINIMUM_FREE_MIB=999999999")
			if output, err := h.deploy(bundle); err == nil || !strings.Contains(lastLine(output), "MiB free") {
				t.Errorf("deploy: %v, want the full disk:\n%s", err, output)
			}
		})
	}
}

// TestRunningVersionsAreRecorded checks what `cicd secrets list` will know, and that a release succeeds without it.
func TestRunningVersionsAreRecorded(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	bundle := h.mustBuild(1, app(t, "one", ""))
	h.services.parameters["/cicd/dev/A"], h.services.parameters["/cicd/dev/LONGER"], h.services.parameters["/shared"] = "x", "x", "x"
	settle(t, bundle, "SECRET LONGER=/cicd/dev/LONGER", "SECRET A=/cicd/dev/A", "SECRET FOREIGN="+parameterARN+"/shared")
	h.mustDeploy(bundle)
	want := `{"Name":"/cicd/dev/running-release","Value":"{\"commit\":\"` + commitID(1) + `\",\"secrets\":{\"A\":11,\"LONGER\":16}}"}`
	if got := h.services.made("PutParameter"); len(got) != 1 || got[0] != want {
		t.Errorf("it records %q, want %s", got, want)
	}
	h.services.refused["PutParameter"] = []string{"AccessDeniedException"}
	if output, err := h.deploy(bundle); err != nil || !regexp.MustCompile(`warning: .*cicd secrets list.*\(AccessDeniedException\)`).MatchString(output) {
		t.Errorf("deploy: %v, want a warning:\n%s", err, output)
	}
	settle(t, bundle, "SECRET FOREIGN="+parameterARN+"/shared")
	h.mustDeploy(bundle)
	if got := h.services.made("PutParameter"); len(got) != 2 {
		t.Errorf("%d records, want none of a release without parameters of its own", len(got))
	}
}

// TestSecretIsMissing: the release ends before it touches anything, and says what to do.
func TestSecretIsMissing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	one, two := h.mustBuild(1, app(t, "one", "")), h.mustBuild(2, app(t, "two", ""))
	h.mustDeploy(one)
	settle(t, two, append(command("fail"), "SECRET A=/cicd/dev/A", "SECRET B=/cicd/dev/B")...)
	output, err := h.deploy(two)
	want := "the secrets A, B have no value: `cicd secrets set A --stack dev`, `cicd secrets set B --stack dev`, then release again"
	if err == nil || !strings.Contains(lastLine(output), want) {
		t.Errorf("deploy: %v, want %q in the last line:\n%s", err, want, output)
	}
	if after := strings.Fields(h.names()); len(after) != 2 {
		t.Errorf("containers %q, want nothing new", after)
	}
	h.wantAnswer(t, "one")
}
