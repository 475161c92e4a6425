package codebuild

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"cicd/internal/shellword"
)

// shell runs commands as CodeBuild's agent does: each as a script in its own shell, which takes the working directory
// and the variables from the previous one and passes them on. The User Guide calls that "the same instance of the
// shell", but functions, arrays, shell options and traps do not survive from one command to the next
// (aws/aws-cdk#26694: "arrays are not supported in buildspec command"), "exit 0" ends a command and not the build,
// and every variable is exported: the agent's script has "set -a" and ends with CODEBUILD_LAST_EXIT=$?, visible in
// the environment of any build. Version 0.1 passes nothing on.
//
// The program is bash, called sh unless the buildspec's env.shell says bash: that is /bin/sh in the Amazon Linux
// images.
type shell struct {
	group   *processGroup
	bash    string
	name    string // argv[0]
	version string
	dir     string // holds the script and the state
	env     []string
	out     *os.File
}

var shellName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// newShell prepares a shell that starts in workDir with the variables in env, and keeps its state in dir.
func newShell(g *processGroup, spec *Buildspec, dir, workDir string, env map[string]string, out *os.File) (*shell, error) {
	s := &shell{group: g, bash: g.watchdog.Path, name: "sh", version: spec.Version, dir: dir, out: out}
	if spec.Shell == "bash" {
		s.name = "bash"
	}
	var state strings.Builder
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if shellName.MatchString(name) {
			fmt.Fprintf(&state, "export %s=%s\n", name, shellword.Quote(env[name]))
		} else { // no shell can pass it on, but processes can have it
			s.env = append(s.env, name+"="+env[name])
		}
	}
	// So that a subshell can be told from other processes, see processGroup.remove.
	s.env = append(s.env, "CODEBUILD_BUILD_ID="+env["CODEBUILD_BUILD_ID"])
	if err := os.WriteFile(s.file("env.sh"), []byte(state.String()), 0o600); err != nil {
		return nil, err
	}
	return s, os.WriteFile(s.file("dir.txt"), []byte(workDir+"\n"), 0o600)
}

func (s *shell) file(name string) string { return filepath.Join(s.dir, name) }

// run runs one command and returns its exit status.
func (s *shell) run(ctx context.Context, command string) (int, error) {
	script := fmt.Sprintf("cd -- \"$(<%s)\"\nset -a\n. %s\n%s\n", shellword.Quote(s.file("dir.txt")), shellword.Quote(s.file("env.sh")), command)
	if s.version != "0.1" {
		script += fmt.Sprintf("CODEBUILD_LAST_EXIT=$?\nexport -p >| %s\npwd >| %s\nexit $CODEBUILD_LAST_EXIT\n",
			shellword.Quote(s.file("env.sh")), shellword.Quote(s.file("dir.txt")))
	}
	if err := os.WriteFile(s.file("script.sh"), []byte(script), fs.FileMode(0o600)); err != nil {
		return 0, err
	}
	return s.group.run(ctx, s.command(s.file("script.sh"), s.out))
}

func (s *shell) command(script string, out *os.File) *exec.Cmd {
	cmd := exec.Command(s.bash, script)
	cmd.Args[0] = s.name
	cmd.Env = s.env
	cmd.Dir = s.dir
	cmd.Stdout, cmd.Stderr = out, s.out
	return cmd
}

// set changes a variable for later commands.
func (s *shell) set(name, value string) error {
	f, err := os.OpenFile(s.file("env.sh"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err = fmt.Fprintf(f, "export %s=%s\n", name, shellword.Quote(value)); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// variables returns the current values of the named variables that are set.
func (s *shell) variables(ctx context.Context, names []string) (map[string]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	values := s.file("values")
	out, err := os.OpenFile(values, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	script := fmt.Sprintf(". %s\n", shellword.Quote(s.file("env.sh")))
	for _, name := range names {
		if shellName.MatchString(name) {
			script += fmt.Sprintf("[ -z \"${%s+set}\" ] || printf '%%s\\0' \"%s=$%s\"\n", name, name, name)
		}
	}
	if err := os.WriteFile(s.file("script.sh"), []byte(script), 0o600); err != nil {
		return nil, err
	}
	if _, err := s.group.run(ctx, s.command(s.file("script.sh"), out)); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(values)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for pair := range strings.SplitSeq(strings.TrimSuffix(string(content), "\x00"), "\x00") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			found[name] = value
		}
	}
	return found, nil
}
