package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"cicd/rehearsal/aws/codedeploy/appspec"
)

// commandLine is what the agent runs for a script (linux_util.rb, prepare_script_command). It is one string that Ruby
// splits again: a blank in a path splits it too.
func commandLine(script appspec.Script, path string) string {
	switch {
	case script.RunAs != nil && script.Sudo:
		return "sudo su " + *script.RunAs + " -c " + path
	case script.RunAs != nil:
		return "su " + *script.RunAs + " -c " + path
	case script.Sudo:
		return "sudo " + path
	}
	return path
}

// arguments are the command line of a script as the agent's version splits it: 2 never splits the path
// (lifecycle_event/script.rs).
func (a *Agent) arguments(script appspec.Script, path string) []string {
	if a.Version != 2 {
		return argv(commandLine(script, path))
	}
	before := strings.Fields(strings.TrimSuffix(commandLine(script, path), path))
	return append(before, path)
}

const shell = "/bin/sh"

// argv splits a command line as Ruby's Process.spawn does (process.c, rb_exec_fillarg): with a shell if there is anything
// for a shell to do, otherwise at blanks.
func argv(line string) []string {
	if strings.ContainsAny(line, "*?{}[]<>()~&|\\$;'`\"\n#") {
		return []string{shell, "-c", line} // Ruby's rule for "=" and shell words needs a first word that is not a path
	}
	return strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
}

// start starts args in its own process group. A file that the kernel cannot execute, such as a script without "#!",
// goes to the shell, as it does in Ruby.
func (a *Agent) start(args, env []string, stdin, stdout, stderr *os.File) (*exec.Cmd, error) {
	cmd := exec.Command(args[0], args[1:]...)
	if args[0] == shell {
		cmd.Args[0] = filepath.Base(shell) // as Ruby calls it, which is how it signs its errors
	}
	cmd.Env = env
	cmd.Dir = a.Dir
	if cmd.Dir == "" {
		cmd.Dir = "/"
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err := cmd.Start()
	if errors.Is(err, syscall.ENOEXEC) {
		return a.start(append([]string{shell}, args...), env, stdin, stdout, stderr)
	}
	return cmd, err
}

// environment is the agent's own.
func (a *Agent) environment() []string {
	if a.Env != nil {
		return a.Env
	}
	dropped := []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CREDENTIAL_FILE"}
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(dropped, name)
	})
}

// environment is what a hook's process gets: the agent's own variables with the deployment's on top
// (hook_executor.rb; command_executor.rb, get_s3_envs).
func (h hook) environment() []string {
	d := h.deployment
	env := h.agent.environment()
	set := []string{
		"LIFECYCLE_EVENT=" + h.event,
		"DEPLOYMENT_ID=" + d.ID,
		"APPLICATION_NAME=" + d.Application,
		"DEPLOYMENT_GROUP_NAME=" + d.GroupName,
		"DEPLOYMENT_GROUP_ID=" + d.GroupID,
	}
	bundle := [][2]string{
		{"BUNDLE_BUCKET", d.Revision.Bucket}, {"BUNDLE_KEY", d.Revision.Key},
		{"BUNDLE_VERSION", d.Revision.Version}, {"BUNDLE_ETAG", h.bundleETag()},
	}
	for _, v := range bundle {
		// A variable that Ruby sets to nil is removed, even if it was inherited.
		env = slices.DeleteFunc(slices.Clone(env), func(inherited string) bool { return strings.HasPrefix(inherited, v[0]+"=") })
		if v[1] != "" {
			set = append(set, v[0]+"="+v[1])
		}
	}
	return append(slices.Clone(env), set...) // the last value of a name counts
}

// rubyErrors names the classes that Ruby raises for common errors of a file operation or an exec.
var rubyErrors = map[syscall.Errno]string{
	syscall.ENOENT: "Errno::ENOENT", syscall.EACCES: "Errno::EACCES", syscall.EPERM: "Errno::EPERM",
	syscall.ETXTBSY: "Errno::ETXTBSY", syscall.E2BIG: "Errno::E2BIG", syscall.ELOOP: "Errno::ELOOP",
	syscall.EISDIR: "Errno::EISDIR", syscall.ENOTDIR: "Errno::ENOTDIR", syscall.ENOMEM: "Errno::ENOMEM",
}

// rubyClassAndText returns how Ruby presents a failed start of a command.
func rubyClassAndText(err error, command string) (class, text string) {
	errno, ok := errnoOf(err)
	if !ok {
		return "StandardError", err.Error()
	}
	return rubyErrors[errno], strerror(errno) + " - " + command
}

// rubyFileError words a failed file operation as the agent's Ruby does; function is the name that Ruby puts in the
// message.
func rubyFileError(err error, function, path string) error {
	errno, ok := errnoOf(err)
	if !ok {
		return err
	}
	return &Failure{Code: UnknownError, Message: fmt.Sprintf("%s @ %s - %s", strerror(errno), function, path)}
}

// rubyError words the failure to open a file.
func rubyError(err error, path string) error { return rubyFileError(err, "rb_sysopen", path) }

// errnoOf returns the system's error that err is or, if os/exec found it before the system did, stands for.
func errnoOf(err error) (errno syscall.Errno, ok bool) {
	switch {
	case errors.As(err, &errno):
		return errno, true
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return syscall.ENOENT, true
	case errors.Is(err, fs.ErrPermission): // a directory
		return syscall.EACCES, true
	}
	return 0, false
}

// strerror is strerror(3), which Go has in lower case.
func strerror(errno syscall.Errno) string {
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}
