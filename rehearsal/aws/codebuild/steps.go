package codebuild

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/cloudwatchlogs"
)

// enqueue assumes the project's role and uses it to open the log stream.
func (b *build) enqueue() error {
	session, err := b.runner.Authority.AssumeRole(b.project.ServiceRole, "codebuild.amazonaws.com", "AWSCodeBuild-"+b.uuid, b.project.ARN)
	if err != nil {
		return contextError{"INVALID_SERVICE_ROLE", fmt.Errorf("CodeBuild is not authorized to perform: sts:AssumeRole on %s: %w", b.project.ServiceRole, err)}
	}
	b.session = session
	return b.openLogStream()
}

func (b *build) logGroup() string {
	if name := b.project.LogsConfig.CloudwatchLogs.GroupName; name != "" {
		return name
	}
	return "/aws/codebuild/" + b.project.Name
}

func (b *build) logStream() string {
	if prefix := b.project.LogsConfig.CloudwatchLogs.StreamName; prefix != "" {
		return prefix + "/" + b.uuid
	}
	return b.uuid
}

// openLogStream authorizes writing to CloudWatch Logs. A group that is not declared would have to be created.
func (b *build) openLogStream() error {
	if b.project.LogsConfig.CloudwatchLogs.Status == "DISABLED" {
		return nil
	}
	group := b.project.resourceARN(b.runner.Account, "logs", "log-group:"+b.logGroup())
	stream := group + ":log-stream:" + b.logStream()
	var errs []error
	_, declared := b.runner.Account.Find(account.LogGroup, "name", b.logGroup())
	if !declared {
		errs = append(errs, b.runner.Authority.Authorize(b.session, "logs:CreateLogGroup", group))
	}
	errs = append(errs,
		b.runner.Authority.Authorize(b.session, "logs:CreateLogStream", stream),
		b.runner.Authority.Authorize(b.session, "logs:PutLogEvents", stream))
	if err := errors.Join(errs...); err != nil {
		//lint:ignore ST1005 these are AWS's own words
		return contextError{"ACCESS_DENIED", fmt.Errorf("Service role %s does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for build %s. Error message: %w",
			b.project.ServiceRole, b.result.ARN, err)}
	}
	if declared && b.runner.Logs != nil {
		b.fillLogStream()
	}
	return nil
}

// fillLogStream makes the log stream and puts the log there. What CloudWatch does not take is missing there, as in AWS.
func (b *build) fillLogStream() {
	group, stream, logs := b.logGroup(), b.logStream(), b.runner.Logs
	if err := logs.CreateLogStream(b.session, cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream}); err != nil {
		b.warn("the log is not in CloudWatch Logs: %v", err)
		return
	}
	b.cloud.open(func(events []cloudwatchlogs.InputLogEvent) {
		_, _ = logs.PutLogEvents(b.session, cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: events})
	})
}

// downloadSource fetches the source, reads the buildspec and prepares the shell.
func (b *build) downloadSource() error {
	b.log.say("Phase is DOWNLOAD_SOURCE")
	archive, err := b.input.Fetch(b.session)
	if err == nil {
		err = unzip(archive, b.sourceDir())
	}
	if err != nil {
		return contextError{"CLIENT_ERROR", fmt.Errorf("%w for primary source and source version %s", err, b.input.SourceVersion)}
	}
	b.log.say("CODEBUILD_SRC_DIR=%s", b.sourceDir())
	name, content, err := b.readBuildspec()
	if err != nil {
		return contextError{"YAML_FILE_ERROR", err}
	}
	if b.spec, err = ParseBuildspec(name, content); err != nil {
		return contextError{"YAML_FILE_ERROR", err}
	}
	for _, note := range b.project.notes {
		b.warn("project %s: %s", b.project.Name, note)
	}
	for _, note := range b.spec.Notes {
		b.warn("%s: %s", name, note)
	}
	for _, warning := range b.spec.Warnings {
		b.result.Warnings = append(b.result.Warnings, name+": "+warning)
		b.log.say("Found possible syntax errors in buildspec: %s", warning)
	}
	b.log.say("Processing environment variables")
	env, err := b.environment(b.spec)
	if err != nil {
		return err
	}
	if err := b.selectRuntimes(name, env); err != nil {
		return err
	}
	if err := b.linkCache(b.spec); err != nil {
		return err
	}
	b.log.say("Phases found in YAML: %d", len(b.spec.Phases))
	for _, name := range phaseNames {
		if p, ok := b.spec.Phases[name]; ok {
			b.log.say(" %s: %d commands", strings.ToUpper(name), len(p.Commands))
		}
	}
	b.shell, err = newShell(b.group, b.spec, b.stateDir(), b.sourceDir(), env, b.log.pipe)
	return err
}

// runPhase runs a phase's commands, and retries as often as on-failure: RETRY says if they fail.
func (b *build) runPhase(ctx context.Context, p Phase) error {
	for attempt := 1; ; attempt++ {
		err := b.attempt(ctx, p)
		var failed commandError
		if p.OnFailure.Action != "RETRY" || attempt > p.OnFailure.Retries || ctx.Err() != nil || !errors.As(err, &failed) {
			return err
		}
		if !p.OnFailure.Pattern.MatchString(failed.output) && !p.OnFailure.Pattern.MatchString(failed.err.Error()) {
			return err
		}
		b.log.say("Retry %d of %d (on-failure)", attempt, p.OnFailure.Retries)
		if b.failure == nil {
			if err := b.shell.set("CODEBUILD_BUILD_SUCCEEDING", "1"); err != nil {
				return err
			}
		}
	}
}

// attempt runs the commands up to the first that fails, then likewise the finally block. Its error is the first.
func (b *build) attempt(ctx context.Context, p Phase) error {
	err := b.runCommands(ctx, p.Commands)
	if ctx.Err() != nil {
		return err // the build has ended: no finally
	}
	if finally := b.runCommands(ctx, p.Finally); err == nil {
		err = finally
	}
	return err
}

func (b *build) runCommands(ctx context.Context, commands []string) error {
	for _, command := range commands {
		if err := b.runCommand(ctx, command); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) runCommand(ctx context.Context, command string) error {
	b.log.say("Running command %s", command)
	b.log.sync()
	status, err := b.shell.run(ctx, command)
	output := b.log.sync()
	b.log.blank()
	if err == nil && status == 0 {
		return nil
	}
	b.left.note(output)
	if err != nil {
		return err
	}
	b.log.say("Command did not exit successfully %s exit status %d", command, status)
	if err := b.shell.set("CODEBUILD_BUILD_SUCCEEDING", "0"); err != nil {
		return err
	}
	reason := fmt.Errorf("Error while executing command: %s. Reason: exit status %d", command, status)
	return commandError{contextError{"COMMAND_EXECUTION_ERROR", reason}, output}
}

// uploadArtifacts records the exported variables and stores the artifact.
func (b *build) uploadArtifacts(ctx context.Context) error {
	var err error
	if b.result.ExportedVariables, err = b.shell.variables(ctx, b.spec.ExportedVariables); err != nil {
		return err
	}
	if b.spec.Artifacts == nil {
		return nil
	}
	if len(b.spec.Artifacts.Files) == 0 {
		return contextError{"CLIENT_ERROR", errors.New("artifacts has only secondary-artifacts: the single output artifact of a pipeline's action " +
			"is defined directly under artifacts (CodePipeline User Guide, \"AWS CodeBuild build and test action reference\")")}
	}
	artifacts, err := b.expandVariables(ctx, *b.spec.Artifacts)
	if err != nil {
		return err
	}
	files, err := selectArtifacts(artifacts, b.sourceDir(), b.log)
	if err != nil {
		return err
	}
	archive := filepath.Join(b.dir, "artifact.zip")
	if err := writeArtifact(archive, files, b.sourceDir(), artifacts.EnableSymlinks); err != nil {
		return contextError{"CLIENT_ERROR", fmt.Errorf("Error in UPLOAD_ARTIFACTS phase: %w", err)}
	}
	if err := b.input.Store(b.session, archive); err != nil {
		return contextError{"CLIENT_ERROR", fmt.Errorf("Error in UPLOAD_ARTIFACTS phase: %w", err)}
	}
	return nil
}

var variableReference = regexp.MustCompile(`\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})`)

// expandVariables substitutes variables in an artifact's paths, as in the guide's "base-directory:
// '$CODEBUILD_SRC_DIR_source1'" (sample-multi-in-out).
func (b *build) expandVariables(ctx context.Context, a Artifacts) (Artifacts, error) {
	var names []string
	for _, text := range append(slices.Concat(a.Files, a.ExcludePaths), a.BaseDirectory) {
		for _, match := range variableReference.FindAllStringSubmatch(text, -1) {
			names = append(names, match[1]+match[2])
		}
	}
	values, err := b.shell.variables(ctx, names)
	if err != nil {
		return a, err
	}
	expand := func(text string) string {
		return variableReference.ReplaceAllStringFunc(text, func(reference string) string {
			return values[strings.Trim(reference, "${}")]
		})
	}
	a.BaseDirectory, a.Files, a.ExcludePaths = expand(a.BaseDirectory), expandAll(a.Files, expand), expandAll(a.ExcludePaths, expand)
	return a, nil
}

func expandAll(texts []string, expand func(string) string) []string {
	expanded := make([]string, len(texts))
	for i, text := range texts {
		expanded[i] = expand(text)
	}
	return expanded
}
