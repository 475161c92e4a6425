package world

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cicd/internal/edit"
	"cicd/internal/testproject"
)

// TestHostDocker: the docker command of a host passes everything on unchanged but the driver awslogs, whose options it
// checks as Docker's daemon does. It leaves the environment, in which a container's variables arrive, as it is.
func TestHostDocker(t *testing.T) {
	dir := t.TempDir()
	testproject.Apply(t, dir, edit.Write("real/docker", "#!/bin/bash\nprintf '%s\\n' \"$@\"\nexit 7\n"), edit.Mode("real/docker", 0o755), edit.Write("host/.keep", ""))
	t.Setenv("PATH", filepath.Join(dir, "real")+":"+os.Getenv("PATH"))
	if err := (dockerCommand{logs: "127.0.0.1:12201", region: "eu-central-1"}).provide(filepath.Join(dir, "host")); err != nil {
		t.Fatal(err)
	}
	const good = "--log-driver awslogs --log-opt awslogs-region=eu-central-1 --log-opt awslogs-group=/cicd/dev --log-opt awslogs-stream=web/1 " +
		"--log-opt awslogs-create-stream=false --log-opt mode=non-blocking --log-opt cache-max-size=10m "
	t.Run("environment", func(t *testing.T) {
		cmd := exec.Command(filepath.Join(dir, "host/docker"), strings.Fields("run --env mode "+good+"image")...)
		for _, name := range []string{"DOCKER", "LOGS", "REGION", "mode", "driver", "arguments", "option", "awslogs"} {
			cmd.Env = append(cmd.Env, name+"=of the application")
		}
		testproject.Apply(t, dir, edit.Write("real/docker", "#!/bin/bash\nexec /usr/bin/env\n"), edit.Mode("real/docker", 0o755))
		out, err := cmd.Output()
		if count := strings.Count(string(out), "=of the application"); err != nil || count != len(cmd.Env) {
			t.Errorf("docker gets %d of %d variables (%v):\n%s", count, len(cmd.Env), err, out)
		}
		testproject.Apply(t, dir, edit.Write("real/docker", "#!/bin/bash\nprintf '%s\\n' \"$@\"\nexit 7\n"), edit.Mode("real/docker", 0o755))
	})
	tests := []struct {
		name, arguments string
		want            string // the arguments that the real command gets, or
		refused         string // a part of the error
	}{
		{name: "other commands", arguments: "container ls --all --filter name=^/awslogs-", want: "container ls --all --filter name=^/awslogs-"},
		{name: "other drivers", arguments: "run --log-driver local image", want: "run --log-driver local image"},
		{name: "awslogs", arguments: "container run --detach " + good + "image word",
			want: "container run --detach --add-host host.docker.internal:host-gateway --log-driver gelf --log-opt gelf-address=tcp://127.0.0.1:12201 " +
				"--log-opt tag=/cicd/dev_web/1 --log-opt mode=non-blocking --log-opt cache-max-size=10m image word"},
		{name: "blocking", arguments: "run " + strings.Replace(good, "mode=non-blocking", "mode=blocking", 1) + "image", refused: "mode=non-blocking"},
		{name: "stream made by the driver", arguments: "run " + strings.Replace(good, "create-stream=false", "create-stream=true", 1) + "image", refused: "awslogs-create-stream=false"},
		{name: "unknown option", arguments: "run " + good + "--log-opt awslogs-groups=x image", refused: "unknown log opt 'awslogs-groups' for awslogs log driver"},
		{name: "option that is not rehearsed", arguments: "run " + good + "--log-opt awslogs-format=json/emf image", refused: "does not support the log option awslogs-format"},
		{name: "no group", arguments: "run " + strings.Replace(good, "awslogs-group", "awslogs-stream", 1) + "image", refused: "must specify a value for log opt: awslogs-group"},
		{name: "another region", arguments: "run " + strings.Replace(good, "eu-central-1", "eu-west-1", 1) + "image", refused: "set awslogs-region"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := exec.Command(filepath.Join(dir, "host/docker"), strings.Fields(tt.arguments)...).CombinedOutput()
			var ended *exec.ExitError
			errors.As(err, &ended)
			if tt.refused != "" {
				if ended.ExitCode() != 125 || !strings.Contains(string(out), tt.refused) {
					t.Errorf("exit code %d, %s; want 125 and %q", ended.ExitCode(), out, tt.refused)
				}
				return
			}
			got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
			want := strings.Fields(tt.want)
			for i := range want {
				want[i] = strings.Replace(want[i], "dev_web", "dev web", 1)
			}
			if ended.ExitCode() != 7 || !slices.Equal(got, want) {
				t.Errorf("exit code %d, docker %q; want 7, %q", ended.ExitCode(), got, want)
			}
		})
	}
}
