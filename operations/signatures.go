package operations

import (
	"regexp"
	"slices"
)

// signature is how a cause shows in a message or a log, and what to do about it.
type signature struct {
	pattern *regexp.Regexp
	remedy  string // with the number of its row in docs/failures.md, if it has one
}

// sign compiles a signature.
func sign(pattern, remedy string) signature { return signature{regexp.MustCompile(pattern), remedy} }

// signatures are in the order of a release: source, build, deployment. Only the first that matches a place counts, so those
// that say more come before those that say less.
var signatures = []signature{
	// Source: CodePipeline's messages.
	sign(`(?i)no branch \S+ found`, "Push the branch, or correct `branch`; the GitHub App needs access to the repository (F1)."),
	sign(`connection \S+ is not available|Connection \S+ is not available`, "Authorize the connection in the console: the output nextStep has the link (F1)."),
	sign(`codeconnections:UseConnection|codestar-connections:UseConnection`, "The pipeline's role may not use the connection: `cicd up`, and release again (F4)."),

	// Build: CodeBuild's messages, those of tools, and those of deploy-scripts/build.
	sign(`Cannot have more than \d+ builds in queue`, "Ask for a higher quota of concurrent builds in Service Quotas, and release again (F15)."),
	sign(`requires go >= ?\S+|module requires Go|package \S+ is not in GOROOT`, "Name a newer Go in deploy-scripts/buildspec.yml, under phases.install.runtime-versions, and push."),
	sign(`Unknown runtime version named`, "Choose a version that the message lists, in deploy-scripts/buildspec.yml, and push."),
	sign(`toomanyrequests|You have reached your (unauthenticated )?pull rate limit`, "Docker Hub limits pulls without a login: take the image from public.ecr.aws/docker/library/ in the Dockerfile, and push (F16)."),
	sign(`Cannot connect to the Docker daemon`, "The build machine's Docker did not start: release again; the project needs privileged mode (F17)."),
	sign(`(?i)no space left on device`, "The disk is full: make the image smaller, or the host's or build machine's disk larger, and release again (F38)."),
	sign(`cannot be overwritten because the tag is immutable|tag invalid: The image tag`, "The image of this commit is in ECR already, and a build reuses it: release again (F19)."),
	sign(`exec format error`, "The image is for another architecture than the machine: check the platform in the Dockerfile's FROM lines, and instanceType."),
	sign(`COPY failed|failed to compute cache key|"/[^"]*": not found|file not found in build context`, "The Dockerfile copies a file that the commit does not have, or .dockerignore leaves out: correct it, and push."),
	sign(`pull access denied|manifest unknown|manifest for \S+ not found`, "The Dockerfile names an image that does not exist, or may not be pulled: correct its FROM line, and push."),
	sign(`npm ERR!|npm error`, "npm failed, see above: try the same command in a clean checkout, and push the repair."),
	sign(`the tests of commit \S+ failed`, "A test failed, see above: repair it, and push."),
	sign(`has no folder \S+: appPath|does not exist in commit`, "Correct `appPath` or `dockerfile`, or push what is missing."),
	sign(`cannot be looked up in ECR|is not authorized to perform: ecr:`, "Read ECR's reason in the message. If it is a permission, `cicd up` restores it; then release again."),
	sign(`the stack's settings, s3://`, "Run `cicd up`, which writes the settings again, and release again."),
	sign(`has other deployment scripts than pulumi up wrote`, "Find out who changed the object in the bucket; then `cicd up` and release again."),
	sign(`bad settings: `, "The commit's scripts and this program are of different versions: bring both to one, `cicd up`, and release again."),
	sign(`the build secret \S+ is not in a variable`, "Run `cicd up`, which declares the secret to the build, and release again."),
	sign(`registry\.sh: \S+ is not in ECR, see above`, "ECR refused the image, with its reason above: a quota, or a permission. Release again once it is gone."),
	sign(`the image of commit \S+ was not built`, "The image's build failed, see above: repair it, and push."),
	sign(`Permission denied`, "The source has no executable bits: run the script with `bash FILE`, or `chmod` it first."),
	sign(`BUILD_TIMED_OUT|Build has timed out`, "The build took longer than it may: look for what it waits for."),

	// Deployment: the agent's messages, and those of deploy-scripts/hooks.
	sign(`was not able to receive the lifecycle event`, "The host's agent is not running, or reaches no AWS: log in with the output sessionCommand, `systemctl status codedeploy-agent` (F22)."),
	sign(`no instances were found for your deployment group`, "The host is stopped or gone: `cicd up`, start it, and release again."),
	sign(`no value: `, "Set the secret with the command in the message, and release again (F61)."),
	sign(`cannot read \S+|is not authorized to perform: (ssm|secretsmanager):`, "Check the ARN in `secrets`, and the policies of the secret and its key (F62)."),
	sign(`the release command of commit \S+`, "Repair the release command or what it runs, and push. The database is as it left it (F63)."),
	sign(`the process \S+ of commit \S+ does not start`, "Correct the command in `processes`: it is not in the image."),
	sign(`with 40[03]|last status: (400|403|421)`, "The application refuses the header Host, which is the stack's publicIp: let it accept that (ALLOWED_HOSTS, config.hosts)."),
	sign(`last status: 30[1278]`, "The application redirects the health path: exempt it, or correct `healthPath`."),
	sign(`last status: 404`, "The application has no such path: correct `healthPath`."),
	sign(`last status: (closed|reset|refused)`, "Nobody answers on the port: listen on the one in PORT, on 0.0.0.0, or correct `containerPort`."),
	sign(`last status: timeout`, "The health path takes longer than 10 s: do less there, or raise `healthSeconds` if it is the start that is slow."),
	sign(`last status: not-http`, "Something else than plain HTTP is spoken there: correct `containerPort`."),
	sign(`ended with exit code \d+ before it was healthy`, "The application does not start: its last output is above."),
	sign(`did not answer 200`, "The application did not become ready: its last output is above; `healthSeconds` says how long it may take."),
	sign(`has ended \d+ times since its release`, "The container dies again and again: its last output is above (F64)."),
	sign(`is not attached to this host`, "Run `cicd up`, which attaches the volume, and release again (F68)."),
	sign(`want this stack's '|is not blank, and what is on it is unknown`, "The volume holds somebody else's data: read what it is before you do anything (F69)."),
	sign(`MiB free, want`, "The host's disk is full: remove what is not needed, or enlarge it (F38)."),
	sign(`Docker does not answer`, "Log in with the output sessionCommand, `systemctl status docker`; then release again."),
	sign(`the image \S+ cannot be pulled`, "Read the reason in the message; release again once it is gone."),
	sign(`the edge does not start: is port`, "Another process on the host listens on the port: stop it."),
	sign(`is for \S+( architecture)?, but this host is`, "The instance type has changed since the image was built: release the commit again, which builds one for it."),
	sign(`SIGTERM: the timeout of this hook|failed to complete in \d+ seconds`, "A step of the hook took too long: look at what it waited for, or raise timeout in deploy-scripts/appspec.yml."),
	sign(`failed to close STD(OUT|ERR)`, "A process that the hook started holds its output: redirect it, or make it a service (F31)."),
	sign(`Errno::ENOENT with message No such file or directory|\^M|with LF line ends|bad interpreter`, "A script's first line names a program that the host lacks, or ends in CR LF: save it with LF, `*.sh text eol=lf` in .gitattributes (F28)."),
	sign(`did not find an AppSpec file`, "The bundle needs appspec.yml at its root: correct base-directory and files under artifacts in deploy-scripts/buildspec.yml, and push."),
	sign(`specifies an unsupported operating system`, "Write `os: linux` in deploy-scripts/appspec.yml, and save it as UTF-8 without a byte order mark (F57)."),
	sign(`Script does not exist at specified location`, "deploy-scripts/appspec.yml names a script that the bundle lacks: correct it, or what is listed under artifacts in the buildspec, and push."),
	sign(`JSON::GeneratorError`, "The hook printed a byte that is not UTF-8, so the agent cannot report it: let it print UTF-8 only (F56)."),
	sign(`hooks/start\.sh has not switched`, "The start hook succeeded and changed nothing: compare deploy-scripts/hooks with this project's, and push."),
	sign(`the edge rejects edge/\S+`, "Correct the file in deploy-scripts/edge, of which Caddy says what is wrong above, and push."),
	sign(`after an agent restart`, "The host, or its agent, was started anew meanwhile: release again."),
	sign(`failed with exit code (\n|$)`, "A signal ended the hook: `journalctl -k` on the host says whether its memory was exhausted. Release again."),
	sign(`failed with exit code \d+`, "The hook failed: its last lines are above, and the rest is in the agent's log on the host."),
}

// remediesFor returns what to do about the places, each once.
func remediesFor(places []Place) []string {
	remedies := []string{}
	for _, place := range places {
		if remedy := remedyFor(place); remedy != "" && !slices.Contains(remedies, remedy) {
			remedies = append(remedies, remedy)
		}
	}
	return remedies
}

// remedyFor returns the remedy of the first signature that matches the place's message or log.
func remedyFor(place Place) string {
	text := place.Message
	for _, line := range place.Log {
		text += "\n" + line
	}
	for _, s := range signatures {
		if s.pattern.MatchString(text) {
			return s.remedy
		}
	}
	return ""
}
