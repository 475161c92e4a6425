package agent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"cicd/rehearsal/aws/codedeploy/appspec"
)

// instruction is one step of an Install; its JSON is what the agent stores in <group id>-install.json
// (install_instruction.rb).
type instruction interface {
	apply(e execution, cleanup io.Writer) error
}

type copyFile struct {
	Type        string `json:"type"`
	Source      string `json:"source"`
	Destination string `json:"destination"`
}

// apply lists the file for removal before it copies, so that a broken copy is removed too.
func (c copyFile) apply(e execution, cleanup io.Writer) error {
	if _, err := fmt.Fprintln(cleanup, c.Destination); err != nil {
		return fmt.Errorf("record of the installation: %w", err)
	}
	if target, err := os.Readlink(c.Source); err == nil {
		entry, err := e.agent.entry(c.Destination)
		if err != nil {
			return err
		}
		if err := os.Symlink(target, entry); err != nil {
			return rubyFileError(err, "syserr_fail2_in", c.Destination)
		}
		return nil
	}
	to, err := e.agent.file(c.Destination)
	if err != nil {
		return err
	}
	if isDir(to) { // as cp(1) does
		to = filepath.Join(to, filepath.Base(c.Source))
	}
	in, err := os.Open(c.Source)
	if err != nil {
		return rubyError(err, c.Source)
	}
	defer in.Close()
	syscall.ForkLock.RLock() // see unzipEntry
	defer syscall.ForkLock.RUnlock()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o666)
	if err != nil {
		return rubyError(err, c.Destination)
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("copy to %s: %w", c.Destination, err)
	}
	return copyMetadata(in, to)
}

// copyMetadata gives a copy its source's times, owner and mode; a user who may not change owners loses the set-id
// bits instead (Ruby's FileUtils.copy with :preserve).
func copyMetadata(in *os.File, to string) error {
	info, err := in.Stat()
	if err != nil {
		return fmt.Errorf("copy to %s: %w", to, err)
	}
	if err := os.Chtimes(to, info.ModTime(), info.ModTime()); err != nil {
		return fmt.Errorf("copy to %s: %w", to, err)
	}
	stat := info.Sys().(*syscall.Stat_t) // Stat's type on Unix, the only system this package builds on
	mode := uint32(stat.Mode) & 0o7777
	if os.Chown(to, int(stat.Uid), int(stat.Gid)) != nil {
		mode &= 0o1777
	}
	if err := syscall.Chmod(to, mode); err != nil {
		return fmt.Errorf("copy to %s: %w", to, err)
	}
	return nil
}

type makeDirectory struct {
	Type      string `json:"type"`
	Directory string `json:"directory"`
}

func (m makeDirectory) apply(e execution, cleanup io.Writer) error {
	entry, err := e.agent.entry(m.Directory)
	if err == nil {
		err = os.Mkdir(entry, 0o777)
	}
	if err != nil {
		return rubyFileError(err, "dir_s_mkdir", m.Directory)
	}
	if _, err := fmt.Fprintln(cleanup, m.Directory); err != nil {
		return fmt.Errorf("record of the installation: %w", err)
	}
	return nil
}

type changeMode struct {
	Type string `json:"type"`
	Mode string `json:"mode"`
	File string `json:"file"`
}

func (c changeMode) apply(e execution, _ io.Writer) error {
	mode, err := strconv.ParseUint(c.Mode, 8, 32)
	if err != nil {
		return fmt.Errorf("mode %s: %w", c.Mode, err)
	}
	file, err := e.agent.file(c.File)
	if err == nil {
		err = syscall.Chmod(file, uint32(mode))
	}
	if err != nil {
		return rubyFileError(err, "apply2files", c.File)
	}
	return nil
}

// permissionInstructions are the steps for one object, in the agent's order (CommandBuilder.set_permissions).
func permissionInstructions(object string, p appspec.Permission) []instruction {
	var steps []instruction
	if p.Mode != "" {
		steps = append(steps, changeMode{Type: "chmod", Mode: p.Mode, File: object})
	}
	if p.ACL != nil {
		steps = append(steps, changeACL{Type: "setfacl", Entries: p.ACL.Entries(), File: object, acl: p.ACL})
	}
	if p.Context != nil {
		c := contextRecord{User: p.Context.User, Type: p.Context.Type, Range: p.Context.Range}
		steps = append(steps, changeContext{Type: "semanage", Context: c, File: object})
	}
	if p.Owner != nil || p.Group != nil {
		steps = append(steps, changeOwner{Type: "chown", Owner: p.Owner, Group: p.Group, File: object})
	}
	return steps
}
