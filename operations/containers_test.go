package operations

import (
	"slices"
	"strings"
	"testing"
)

func TestReadContainers(t *testing.T) {
	got, err := ReadContainers("warning: something of the host's\r\ncontainer||webapp-8080|4f2a1c9|r/app@sha256:1\r\ncontainer|mail|webapp-mail-1|4f2a1c9|r/app@sha256:1\n")
	want := []Container{{Web, "webapp-8080", "4f2a1c9", "r/app@sha256:1"}, {"mail", "webapp-mail-1", "4f2a1c9", "r/app@sha256:1"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := ReadContainers("container|mail|webapp-mail-1\n"); err == nil {
		t.Error("half a line was read")
	}
}

// TestDeviations: what runs is of the commit and the image that were released last, and there is a worker for each process.
func TestDeviations(t *testing.T) {
	const released, other = "4f2a1c9b0d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a", "0123456789abcdef0123456789abcdef01234567"
	web := Container{Web, "webapp-8080", released, "r/app@sha256:1"}
	mail := Container{"mail", "webapp-mail-1", released, "r/app@sha256:1"}
	older := web
	older.Commit = other
	foreign := web
	foreign.Image = "r/app@sha256:9"
	for name, tt := range map[string]struct {
		running   []Container
		processes []string
		digests   []string
		want      []string
	}{
		"as released":           {[]Container{web, mail}, []string{"mail"}, []string{"sha256:0", "sha256:1"}, nil},
		"nothing runs":          {nil, []string{"mail"}, []string{"sha256:1"}, []string{"no container of web runs", "no container of mail runs"}},
		"an older commit":       {[]Container{older}, nil, []string{"sha256:1"}, []string{"is of commit 0123456, and 4f2a1c9 was released last"}},
		"another image":         {[]Container{foreign}, nil, []string{"sha256:1"}, []string{"runs the image r/app@sha256:9, which is not that of commit 4f2a1c9"}},
		"ECR has none any more": {[]Container{foreign}, nil, nil, nil},
		"undeclared":            {[]Container{web, mail}, nil, []string{"sha256:1"}, []string{"mail, webapp-mail-1, runs, and the stack declares no such process"}},
	} {
		got := Deviations(tt.running, Run{Commit: released}, tt.digests, tt.processes)
		if len(got) != len(tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
			continue
		}
		for i, want := range tt.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: %q, want %q in it", name, got[i], want)
			}
		}
	}
}
