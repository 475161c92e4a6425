package deployscripts_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHookLeavesNothing ends the hooks before and after the switch at various moments. In any case their folders, one of
// which has a login to ECR, and processes must go. The other tests check that after each hook, too.
func TestHookLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, way := range []string{term, unread, kill, away, broken} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			bundle := h.mustBuild(1, app(t, "one", ""))
			h.mustDeploy(bundle)
			cut := func(hook string, at moment) {
				t.Helper()
				output := h.cut(bundle, hook, way, at)
				if way == term && !strings.Contains(lastLine(output), "SIGTERM") {
					t.Errorf("%s: last line %q, want the reason; all:\n%s", hook, lastLine(output), output)
				}
				if way != kill {
					h.wantNothingLeft(hook)
				} else if h.wantNoProcess(hook); len(h.files()) == 0 {
					t.Errorf("%s had no folder, so this proves nothing", hook)
				}
			}
			for _, at := range []moment{{1, "version"}, {1, "network inspect"}, {1, "login"}, {1, "image pull"}} {
				docker(t, "image rm --force "+released(t, bundle)+" --no-prune")
				cut("hooks/prepare.sh", at)
			}
			cut("hooks/validate.sh", moment{1, "container port"})
			h.mustDeploy(bundle)
		})
	}
}

// TestLoginIsForgotten fails a release after the login to ECR has arrived, but before it is used.
func TestLoginIsForgotten(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	bundle := h.mustBuild(1, app(t, "one", ""))
	write(t, filepath.Join(h.home, "df"), `#!/bin/bash
for process in $(grep --files-with-matches --text "APP_NAME=$APP_NAME" /proc/[0-9]*/environ 2>/dev/null); do
  while grep --quiet get-login-password "${process%environ}cmdline" 2>/dev/null; do sleep 0.01; done
done
printf 'Avail\n100\n'
`)
	if output, err := h.deploy(bundle); err == nil || !strings.Contains(lastLine(output), "100 MiB free") {
		t.Errorf("deploy: %v, want the full disk as the last line:\n%s", err, output)
	}
}

// TestBuildLeavesNothing ends builds during AWS calls. h.build checks what is left.
func TestBuildLeavesNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	tests := []struct{ name, makefile, mute, want string }{
		{"image that is not made", "image:\n\t@false\n", "ecr get-login-password", "was not built"},
		{"broken Makefile", "test\n\tnothing\n", "ecr describe-images", "make cannot read"},
		{"wrong settings", "test:\n\t@sleep 60\n", "ecr describe-images", "bad settings: unknown line 'no settings'"},
		{"SIGTERM before settings", "$(shell until [ -e $$HOME/muted ]; do sleep 0.01; done; kill -TERM 0)\n", "s3api get-object", "SIGTERM"},
		{"SIGTERM", "image:\n\t@docker build .\n", "ecr get-login-password", "SIGTERM"},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_ = os.Remove(filepath.Join(h.home, "muted"))
			h.settings = settings
			if tt.name == "wrong settings" {
				h.settings = "no settings\n"
			}
			if tt.name == "SIGTERM" {
				h.wrapDocker(`[[ "$1" != build ]] || kill -TERM 0`)
			}
			_, output, err := h.build(commitID(i+1), func(webapp string) {
				app(t, "one", "")(webapp)
				write(t, filepath.Join(webapp, "Makefile"), tt.makefile)
			}, mute+"="+tt.mute)
			if err == nil || !strings.Contains(lastLine(output), tt.want) {
				t.Errorf("build: %v, want %q in the last line:\n%s", err, tt.want, output)
			}
		})
	}
}
