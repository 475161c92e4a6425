package operations

import (
	"strings"
	"testing"
)

// printed are messages that tools, AWS and the project's scripts print, each with a part of its remedy. Where nothing is said,
// the message is one of deploy-scripts.
var printed = []struct{ message, remedy string }{
	{"[GitHub] No Branch [main] found for FullRepositoryName [acme/web]", "`branch`"}, // CodePipeline, aws/aws-cdk issue 11582
	{"connection arn:aws:codeconnections:eu-central-1:123456789012:connection/1 is not available: its status is PENDING", "Authorize"},
	{"Cannot have more than 1 builds in queue for the account", "quota"},                                                                            // CodeBuild
	{"go: go.mod requires go >= 1.26 (running go 1.20.14; GOTOOLCHAIN=local)", "newer Go"},                                                          // cmd/go
	{"main.go:4:2: package slices is not in GOROOT (/root/.goenv/versions/1.20.14/src/slices)", "newer Go"},                                         // cmd/go
	{"YAML_FILE_ERROR: Unknown runtime version named '9.9' of golang. This build image has the following versions: 1.24", "that the message lists"}, // CodeBuild
	{"toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit", "public.ecr.aws"},        // Docker Hub
	{"Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?", "privileged"},                             // docker
	{"write /var/lib/docker/tmp/x: no space left on device", "disk"},                                                                                // the kernel's ENOSPC
	{"tag invalid: The image tag '4f2a1c9-amd64' already exists in the 'cicd-dev' repository and cannot be overwritten because the tag is immutable.", "release again"},
	{"exec /server: exec format error", "architecture"},                                                                            // runc
	{"COPY failed: file not found in build context or excluded by .dockerignore: stat dist: file does not exist", ".dockerignore"}, // moby's builder
	{"ERROR: failed to build: failed to solve: failed to compute cache key: failed to calculate checksum of ref x: \"/dist\": not found", "commit does not have"},
	{"pull access denied for acme/base, repository does not exist or may require 'docker login'", "FROM"}, // moby
	{"npm error code E404", "npm failed"}, // npm 10
	{"the tests of commit 4f2a1c9 failed: nothing is released", "A test failed"},
	{"commit 4f2a1c9 has no folder apps/shop: appPath says where the application is", "`appPath`"},
	{"Dockerfile does not exist in commit 4f2a1c9: an application needs one; appPath and dockerfile say where", "`dockerfile`"},
	{"tag 4f2a1c9-amd64 cannot be looked up in ECR: An error occurred (ServerException)", "ECR's reason"},
	{"the stack's settings, s3://b/_stack/settings.env, cannot be read: An error occurred (NoSuchKey)", "cicd up"},
	{"bad settings: UNKNOWN is no setting", "of different versions"},
	{"the build secret NPM_TOKEN is not in a variable BUILD_SECRET_NPM_TOKEN: run pulumi up", "declares the secret"},
	{"the image of commit 4f2a1c9 was not built: docker build failed", "image's build failed"},
	{"/codebuild/output/tmp/script.sh: line 4: ./build.sh: Permission denied", "executable bits"},
	{"BUILD_TIMED_OUT: Build has timed out.", "longer than it may"},
	{"CodeDeploy agent was not able to receive the lifecycle event. Check the CodeDeploy agent logs on your host", "systemctl status codedeploy-agent"},
	{"NO_INSTANCES: The deployment failed because no instances were found for your deployment group.", "stopped or gone"},
	{"DATABASE_URL has no value: cicd secrets set DATABASE_URL --stack dev, then release again; nothing has been changed", "Set the secret"},
	{"cannot read API_KEY from arn:aws:ssm:eu-central-1:123456789012:parameter/x: AccessDeniedException", "`secrets`"},
	{"the release command of commit 4f2a1c9 ended with exit code 1; its last output: no such table", "database is as it left it"},
	{"the process worker of commit 4f2a1c9 does not start: exec: \"work\": executable file not found", "`processes`"},
	{"did not answer 200 on port 8080, path /healthz, 3 times in a row within 180 s (last status: 400): the application refuses", "ALLOWED_HOSTS"},
	{"did not answer 200 on port 8080, path /healthz, 3 times in a row within 180 s (last status: 301): it redirects", "exempt"},
	{"did not answer 200 on port 8080, path /healthz, 3 times in a row within 180 s (last status: 404): no", "no such path"},
	{"did not answer 200 on port 8080, path /healthz, 3 times in a row within 180 s (last status: refused): nobody", "PORT"},
	{"did not answer 200 on port 8080, path /healthz, 3 times in a row within 180 s (last status: timeout): slow", "10 s"},
	{"did not answer 200 on port 8080, path /healthz, 3 times in a row within 180 s (last status: not-http): TLS", "plain HTTP"},
	{"did not answer 200 on port 8080, path /healthz, 3 times in a row within 180 s (last status: 503): busy", "did not become ready"},
	{"commit 4f2a1c9 ended with exit code 2 before it was healthy; its last output: panic", "does not start"},
	{"the worker has ended 3 times since its release; its last output: panic", "again and again"},
	{"the stack's volume vol-1 is not attached to this host: pulumi up attaches it, and then release again", "attaches the volume"},
	{"the volume vol-1, /dev/nvme1n1, holds 'xfs theirs' (type and label), want this stack's 'ext4 cicd-dev'", "somebody else's"},
	{"/opt has 12 MiB free, want 2048: enlarge the volume", "disk is full"},
	{"Docker does not answer: systemctl status docker", "systemctl status docker"},
	{"the image x@sha256:1 cannot be pulled: manifest unknown: release again once that is fixed", "FROM line"},
	{"the edge does not start: is port 80 taken?", "stop it"},
	{"the image of commit 4f2a1c9 is for amd64, but this host is arm64: release the commit again to build one for it", "instance type"},
	{"ScriptTimedOut: Script at specified location: hooks/start.sh failed to complete in 600 seconds", "too long"}, // aws-codedeploy-agent, hook_executor.rb
	{"UnknownError: Script at specified location: hooks/run.sh failed to close STDERR", "redirect it"},             // the same
	// What the drills print: rehearsal/drill/why.go asks for a remedy after each that fails a release.
	{"registry.sh: 1.dkr.ecr.eu-central-1.amazonaws.com/cicd-dev:4f2a1c9-amd64 is not in ECR, see above", "quota"},
	{"ScriptFailed: Script at specified location: hooks/start.sh failed with error Errno::ENOENT with message No such file or directory - /opt/hooks/start.sh", "CR LF"},
	{"UnknownError: The CodeDeploy agent did not find an AppSpec file within the unpacked revision directory at revision-relative path \"appspec.yml\".", "base-directory"},
	{"UnknownError: The deployment failed because the application specification file specifies an unsupported operating system ().", "byte order mark"},
	{"ScriptMissing: Script does not exist at specified location: /opt/hooks/nowhere.sh", "the bundle lacks"},
	{"UnknownError: Attempting minimal diagnostics\nException JSON::GeneratorError occured", "UTF-8"},
	{"validate.sh: app runs x of commit a, want y of commit b: hooks/start.sh has not switched", "changed nothing"},
	{"start.sh: the edge rejects edge/Caddyfile, see above: it keeps the old one", "deploy-scripts/edge"},
	{"UnknownError: Failed: Failing in-progress lifecycle event after an agent restart.", "release again"},
	{"ScriptFailed: Script at specified location: hooks/start.sh failed with exit code ", "memory"},
	{"ScriptFailed: Script at specified location: hooks/start.sh failed with exit code 7", "last lines"},
}

// TestSignatures: each message has its remedy.
func TestSignatures(t *testing.T) {
	for _, tt := range printed {
		if got := remedyFor(Place{Message: tt.message}); !strings.Contains(got, tt.remedy) {
			t.Errorf("%s\n  has the remedy %q, want one with %q", tt.message, got, tt.remedy)
		}
	}
	if got := remedyFor(Place{Message: "something that nobody has seen yet"}); got != "" {
		t.Errorf("an unknown message has the remedy %q", got)
	}
	if len(printed) < 40 {
		t.Errorf("%d messages", len(printed))
	}
}
