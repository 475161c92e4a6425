package agent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"cicd/rehearsal/aws/codedeploy/appspec"
)

// warnIfSimulated turns an error about an attribute that a simulated host cannot have into a warning.
func (e execution) warnIfSimulated(err error) error {
	if err == nil || !e.agent.simulated() {
		return err
	}
	e.warn("not rehearsed, the host's files are in a folder here: %v", err)
	return nil
}

type changeOwner struct {
	Type  string `json:"type"`
	Owner any    `json:"owner"`
	Group any    `json:"group"`
	File  string `json:"file"`
}

func (c changeOwner) apply(e execution, _ io.Writer) error {
	uid, err := accountID("user", c.Owner)
	if err != nil {
		return e.warnIfSimulated(err)
	}
	gid, err := accountID("group", c.Group)
	if err != nil {
		return e.warnIfSimulated(err)
	}
	file, err := e.agent.file(c.File)
	if err == nil {
		err = os.Chown(file, uid, gid)
	}
	if err != nil {
		return e.warnIfSimulated(rubyFileError(err, "apply2files", c.File))
	}
	return nil
}

// accountID looks up an owner or group by name, and returns -1 if there is none to change to. A number in the appspec
// is not a name: Ruby's Etc accepts only text.
func accountID(kind string, name any) (int, error) {
	if name == nil || name == false {
		return -1, nil
	}
	text, ok := name.(string)
	if !ok {
		class := map[string]string{"int64": "Integer", "float64": "Float", "bool": "true"}[fmt.Sprintf("%T", name)]
		return 0, &Failure{Code: UnknownError, Message: fmt.Sprintf("no implicit conversion of %s into String", class),
			Hint: fmt.Sprintf("the agent takes the name of a %s, not its number %v", kind, name)}
	}
	id := ""
	if kind == "user" {
		if u, err := user.Lookup(text); err == nil {
			id = u.Uid
		}
	} else if g, err := user.LookupGroup(text); err == nil {
		id = g.Gid
	}
	n, err := strconv.Atoi(id)
	if err != nil {
		return 0, fmt.Errorf("can't find %s for %s", kind, text)
	}
	return n, nil
}

type changeACL struct {
	Type    string   `json:"type"`
	Entries []string `json:"acl"`
	File    string   `json:"file"`
	acl     *appspec.ACL
}

func (c changeACL) apply(e execution, _ io.Writer) error {
	file, err := e.agent.file(c.File)
	if err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err != nil {
		return rubyFileError(err, "rb_file_s_stat", c.File)
	}
	c.acl.Complete(fmt.Sprintf("%03o", info.Mode().Perm()))
	entries := strings.Join(c.acl.Entries(), ",")
	if code, hint := runTool("setfacl", "--set", entries, file); code != 0 {
		return e.warnIfSimulated(&Failure{Code: UnknownError, Hint: hint, Message: fmt.Sprintf(
			"The deployment failed because of a problem with the acls permission settings in the application specification file for this object: %[1]s. "+
				"Failed command: setfacl --set %[2]s %[1]s. Exit code: %[3]d", c.File, entries, code)})
	}
	return nil
}

type changeContext struct {
	Type    string        `json:"type"`
	Context contextRecord `json:"context"`
	File    string        `json:"file"`
}

type contextRecord struct {
	User  string `json:"user"`
	Type  string `json:"type"`
	Range string `json:"range"`
}

// apply would change the SELinux policy of this machine, so on a simulated host it only warns.
func (c changeContext) apply(e execution, cleanup io.Writer) error {
	if e.agent.simulated() {
		return e.warnIfSimulated(fmt.Errorf("SELinux context of %s", c.File))
	}
	object, err := filepath.EvalSymlinks(c.File)
	if err != nil {
		return rubyFileError(err, "rb_realpath_internal", c.File)
	}
	add := []string{"semanage", "fcontext", "-a"}
	if c.Context.User != "" {
		add = append(add, "-s", c.Context.User)
	}
	add = append(add, "-t", c.Context.Type)
	if c.Context.Range != "" {
		add = append(add, "-r", c.Context.Range)
	}
	for _, command := range [][]string{append(add, object), {"restorecon", "-v", object}} {
		if code, hint := runTool(command[0], command[1:]...); code != 0 {
			return &Failure{Code: UnknownError, Hint: hint, Message: fmt.Sprintf(
				"The deployment failed because the application specification file contains an error in the settings for the context parameter. "+
					"Update the permissions section of the AppSpec file, and then try again. Failed command: %s. Exit code: %d", strings.Join(command, " "), code)}
		}
	}
	if _, err := fmt.Fprintln(cleanup, semanagePrefix+object); err != nil {
		return fmt.Errorf("record of the installation: %w", err)
	}
	return nil
}

// removeContext undoes changeContext. The agent ignores whether that worked.
func removeContext(object string) { runTool("semanage", "fcontext", "-d", object) }

// toolEnvironment is the environment of the programs that the agent itself runs: nothing of the user's but where they are.
func toolEnvironment() []string { return []string{"PATH=" + os.Getenv("PATH")} }

// runTool returns a command's exit code (127 if it does not exist, as in a shell) and its last output as a hint.
func runTool(name string, args ...string) (code int, hint string) {
	cmd := exec.Command(name, args...)
	cmd.Env = toolEnvironment()
	output, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, ""
	case errors.As(err, &exit):
		return exit.ExitCode(), strings.TrimSpace(string(output))
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, syscall.ENOENT):
		return 127, "this machine has no " + name
	}
	return 126, err.Error()
}
