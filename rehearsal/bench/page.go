package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"cicd/rehearsal/console"

	"cicd/internal/docker"

	"cicd/rehearsal/github"
)

// fact is one thing to know about the machine that was measured on.
type fact struct{ name, value string }

// newReport begins a report with the facts about this machine.
func newReport(ctx context.Context, projectDir, stack string) (*report, error) {
	dockerVersion, err := docker.Run(ctx, "version", "--format", "{{.Server.Version}}")
	if err != nil {
		return nil, err
	}
	goVersion, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("version of Go: %w", err)
	}
	commit, err := github.UserGit(ctx, projectDir, "describe", "--always", "--abbrev=10", "--exclude=*", "--dirty= with uncommitted changes")
	if err != nil {
		return nil, err
	}
	load := strings.Fields(firstLine("/proc/loadavg", "") + " ? ? ?")
	return &report{facts: []fact{
		{"measured", time.Now().UTC().Format("2 January 2006, 15:04 UTC")},
		{"commit", strings.TrimSpace(commit)},
		{"stack", stack},
		{"processor", fmt.Sprintf("%s, %d cores", firstLine("/proc/cpuinfo", "model name"), runtime.NumCPU())},
		{"memory", gigabytes(firstLine("/proc/meminfo", "MemTotal"))},
		{"system", "Linux " + firstLine("/proc/sys/kernel/osrelease", "") + ", " + runtime.GOARCH},
		{"Docker", strings.TrimSpace(dockerVersion)},
		{"Go", strings.TrimSpace(string(goVersion))},
		{"load average", load[2] + " in the 15 minutes before"},
	}}, nil
}

// firstLine returns the rest of the first line of a file that begins with a key, without the colon; "unknown" if there is
// none.
func firstLine(file, key string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(content)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			return strings.Trim(rest, ": \t\n")
		}
	}
	return "unknown"
}

// gigabytes turns what /proc/meminfo says, such as "24684092 kB", into GB of 1,000,000,000 bytes.
func gigabytes(text string) string {
	var kibibytes float64
	if _, err := fmt.Sscanf(text, "%f kB", &kibibytes); err != nil {
		return text
	}
	return fmt.Sprintf("%.1f GB", kibibytes*1024/1e9)
}

// page is the report as a page of documentation.
func (r *report) page() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	block := func(text string) { say("```\n%s```\n", text) }

	say("# Performance\n")
	say("<!-- Written by `make bench`. Do not edit it: run that again. -->\n")
	say("What `make bench` (`cicd rehearse --bench`) measured, in one run on one machine. Each line sets this project beside the")
	say("least that could do the same, measured in turns: first the one, then the other, %d times after a warm-up. The figures are", rounds)
	say("medians.\n")
	block(r.table())
	if err := r.verdict(); err != nil {
		say("**Goals that are missed:** %s.\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	} else {
		say("Every goal is met.\n")
	}
	say("| | |\n|---|---|")
	for _, f := range r.facts {
		say("| %s | %s |", f.name, f.value)
	}
	say("\n## What each line measures\n")
	for _, c := range r.comparisons {
		say("- **%s:** %s.", c.name, c.how)
	}
	say("\n## Every round\n")
	block(r.rounds())
	say("## Where the time of a release goes\n")
	say("On the left a push, in the rehearsal: an indented line is a part of the next one that is not, and `live` is when the URL")
	say("first served it, which is before Deploy has retired the old container. On the right the bare commands.\n")
	block(sideBySide(medianSpans(r.pushed), medianSpans(r.byHand)))
	return strings.TrimSuffix(b.String(), "\n")
}

// sideBySide writes spans in two columns.
func sideBySide(left, right []console.Span) string {
	var b strings.Builder
	for i := range max(len(left), len(right)) {
		var columns [2]string
		for n, spans := range [][]console.Span{left, right} {
			if i < len(spans) {
				columns[n] = spans[i].String()
			}
		}
		fmt.Fprintln(&b, strings.TrimRight(fmt.Sprintf("%-40s%s", columns[0], columns[1]), " "))
	}
	return b.String()
}
