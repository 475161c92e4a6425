package github

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Git runs git in dir ("" for the current directory), one of the rehearsal's own repositories, and returns its
// output. It ignores all settings of this machine and its user: they are for other repositories, and can reject this
// one (safe.bareRepository, protocol.file.allow), rewrite its files (core.autocrlf, filter.*), omit some
// (core.excludesFile) or change the output (log.showSignature).
func Git(ctx context.Context, dir string, args ...string) (string, error) {
	stdout, _, err := run(ctx, dir, ownEnvironment(), args)
	return stdout, err
}

// UserGit runs git in the user's working copy, with the user's settings: without them Git may refuse to read it
// (safe.directory), or consider its files changed (core.autocrlf).
func UserGit(ctx context.Context, dir string, args ...string) (string, error) {
	stdout, _, err := run(ctx, dir, userEnvironment(), args)
	return stdout, err
}

func run(ctx context.Context, dir string, environment, args []string) (stdout, stderr string, err error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = dir, environment
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.WaitDelay = time.Second // after an interruption, for Git's child processes and those that hold its output
	if err := cmd.Run(); err != nil {
		return "", "", failure(ctx, args, strings.TrimSpace(said.String()+out.String()), err)
	}
	return out.String(), strings.TrimSpace(said.String()), nil
}

// failure says why a command failed: in Git's words, which some commands print to standard output, or else by naming
// the command.
func failure(ctx context.Context, args []string, said string, err error) error {
	subcommand := args[0]
	for i := 0; args[i] == "-c"; i += 2 {
		subcommand = args[i+2]
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("git %s: %w", subcommand, context.Cause(ctx))
	case said == "":
		return fmt.Errorf("git %s failed without a message: %w", strings.Join(args, " "), err)
	}
	return fmt.Errorf("git %s: %s: %w", subcommand, said, err)
}

// ownEnvironment is Git's environment in the rehearsal's own repositories. Git looks for the user's settings, ignored
// files and attributes in HOME and XDG_CONFIG_HOME, and obeys some fifty GIT_* variables and others, such as a language;
// see git(1), git-config(1) and gitattributes(5). Of the user's it gets where programs are: PATH, and what a relocated Git
// needs to find its own.
func ownEnvironment() []string {
	var environment []string
	for _, name := range []string{"PATH", "GIT_EXEC_PATH", "LD_LIBRARY_PATH", "TMPDIR"} {
		if value, set := os.LookupEnv(name); set {
			environment = append(environment, name+"="+value)
		}
	}
	return append(environment,
		"HOME="+os.DevNull, "XDG_CONFIG_HOME="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_ATTR_NOSYSTEM=1",
		"GIT_TEMPLATE_DIR=",                                                             // no hooks, settings or attributes in a new repository
		"GIT_DEFAULT_HASH=sha1",                                                         // as on GitHub
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*", // some file systems have no owners
		"GIT_AUTHOR_NAME=Rehearsal", "GIT_AUTHOR_EMAIL=rehearsal@localhost",
		"GIT_COMMITTER_NAME=Rehearsal", "GIT_COMMITTER_EMAIL=rehearsal@localhost",
	)
}

// userEnvironment is this process's environment without the variables that would point Git to another repository, as
// they do when a Git hook starts this program, or keep it from a local one.
func userEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX",
			"GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_QUARANTINE_PATH", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_ALLOW_PROTOCOL"}, name)
	})
}
