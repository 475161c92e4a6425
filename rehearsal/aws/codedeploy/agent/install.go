package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cicd/rehearsal/aws/codedeploy/appspec"
)

// installFiles removes what the group's last Install created, then plans, records and runs the instructions of this
// one (installer.rb). It deletes the record of what to remove as soon as that is done: an Install that fails before
// its first instruction leaves none.
func (e execution) installFiles(ctx context.Context, spec appspec.AppSpec) error {
	if err := e.removeInstalled(); err != nil {
		return err
	}
	plan := plan{execution: e, behavior: e.fileExistsBehavior(spec), sources: map[string]string{}, instructions: []instruction{}}
	if err := plan.addFiles(spec.Files); err != nil {
		return err
	}
	if err := plan.addPermissions(spec.Permissions); err != nil {
		return err
	}
	if err := plan.checkContexts(); err != nil {
		return err
	}
	record, err := json.Marshal(map[string]any{"instructions": plan.instructions})
	if err == nil {
		err = os.WriteFile(e.instructionFile("-install.json"), record, 0o666)
	}
	if err != nil {
		return fmt.Errorf("record of the installation: %w", err)
	}
	cleanup, err := os.Create(e.instructionFile("-cleanup"))
	if err != nil {
		return fmt.Errorf("record of the installation: %w", err)
	}
	defer cleanup.Close()
	for _, instruction := range plan.instructions {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := instruction.apply(e, cleanup); err != nil {
			return err
		}
	}
	return nil
}

func (e execution) fileExistsBehavior(spec appspec.AppSpec) string {
	for _, behavior := range []string{spec.FileExistsBehavior, strings.ToUpper(e.deployment.FileExistsBehavior)} {
		if behavior != "" {
			return behavior
		}
	}
	return "DISALLOW" // deployment_specification.rb, DEFAULT_FILE_EXISTS_BEHAVIOR
}

// semanagePrefix marks a line of the cleanup file that undoes an SELinux context.
const semanagePrefix = "semanage\x00"

// removeInstalled removes what the cleanup file lists, last first. It skips what is already gone, and directories
// that now contain something else (install_instruction.rb, parse_remove_commands and RemoveCommand).
func (e execution) removeInstalled() error {
	path := e.instructionFile("-cleanup")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("record of the last installation: %w", err)
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1] // a line without an end is incomplete
	lines := strings.Split(string(whole), "\n")
	for _, line := range slices.Backward(lines[:len(lines)-1]) {
		if object, ok := strings.CutPrefix(line, semanagePrefix); ok {
			removeContext(strings.TrimSpace(object))
			continue
		}
		if err := e.removeEntry(strings.TrimSpace(line)); err != nil {
			return err
		}
	}
	return os.Remove(path)
}

func (e execution) removeEntry(path string) error {
	entry, err := e.agent.entry(path)
	if err != nil {
		return err
	}
	info, err := os.Lstat(entry)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return rubyError(err, path)
	}
	if info.IsDir() {
		if left, err := os.ReadDir(entry); err == nil && len(left) > 0 {
			return nil
		}
	}
	return os.Remove(entry)
}

// plan collects the instructions of one Install (installer.rb, generate_instructions; install_instruction.rb,
// CommandBuilder). Its paths are host paths.
type plan struct {
	execution
	behavior     string
	instructions []instruction
	sources      map[string]string // of each copied file, by destination
	copies       []string          // destinations of files, in order
	directories  []string          // created directories, in order
	permitted    []string          // objects whose permissions are set
}

func (p *plan) addFiles(files []appspec.File) error {
	for _, file := range files {
		if file.Err != nil {
			return file.Err
		}
		source := fileJoin(p.archiveDir(), file.Source)
		if p.agent.Version == 2 && leaves(p.archiveDir(), source) {
			return fmt.Errorf("path traversal: %s leads out of %s", file.Source, p.archiveDir())
		}
		destination := file.Destination
		add := p.addTree
		if !isDir(source) {
			destination = filepath.Join(destination, filepath.Base(source))
			add = p.addCopy
		}
		if err := p.addAncestors(destination); err != nil {
			return err
		}
		if err := add(source, destination); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) addAncestors(destination string) error {
	var missing []string
	for dir := filepath.Dir(destination); dir != "." && dir != "/" && !p.agent.hostExists(dir); dir = filepath.Dir(dir) {
		missing = append(missing, dir)
	}
	for _, dir := range slices.Backward(missing) {
		if err := p.addDirectory(dir); err != nil {
			return err
		}
	}
	return nil
}

// addTree copies a directory's content; it follows links to directories, as File.directory? does.
func (p *plan) addTree(source, destination string) error {
	if !p.agent.hostIsDir(destination) {
		if err := p.addDirectory(destination); err != nil {
			return err
		}
	}
	names, err := readNames(source)
	if err != nil {
		return rubyError(err, source)
	}
	for _, name := range names {
		from, to := fileJoin(source, name), filepath.Join(destination, name)
		add := p.addCopy
		if isDir(from) {
			add = p.addTree
		}
		if err := add(from, to); err != nil {
			return err
		}
	}
	return nil
}

// readNames lists a directory as Dir.entries does, in the file system's order.
func readNames(path string) ([]string, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}

func (p *plan) addCopy(source, destination string) error {
	if p.agent.hostExists(destination) {
		switch p.behavior {
		case "DISALLOW":
			return &Failure{Code: UnknownError,
				Message: "The deployment failed because a specified file already exists at this location: " + destination,
				Hint:    "this deployment group did not put it there: set file_exists_behavior: OVERWRITE (or RETAIN) in the appspec (F32)"}
		case "RETAIN":
			return nil
		case "OVERWRITE":
		default:
			return appspec.Violation(fmt.Sprintf("The deployment failed because an invalid option was specified for fileExistsBehavior: %s. "+
				"Valid options include OVERWRITE, RETAIN, and DISALLOW.", p.behavior))
		}
	}
	destination = p.agent.hostPath(destination)
	if other, twice := p.sources[destination]; twice {
		return appspec.Violation(fmt.Sprintf("The deployment failed because the application specification file specifies two source files named %s and %s for the same destination (%s). "+
			"Remove one of the source file paths from the AppSpec file, and then try again.", source, other, destination))
	}
	if slices.Contains(p.directories, destination) {
		return appspec.Violation(fmt.Sprintf("The deployment failed because the application specification file calls for installing the file %s, but a file with that name already exists at the location (%s). "+
			"Update your AppSpec file or directory structure, and then try again.", source, destination))
	}
	p.sources[destination] = source
	p.copies = append(p.copies, destination)
	p.instructions = append(p.instructions, copyFile{Type: "copy", Source: source, Destination: destination})
	return nil
}

func (p *plan) addDirectory(destination string) error {
	destination = p.agent.hostPath(destination)
	if source, copied := p.sources[destination]; copied {
		return appspec.Violation(fmt.Sprintf("The deployment failed because the application specification file includes an mkdir command more than once for the same destination path (%s) from (%s). "+
			"Update the files section of the AppSpec file, and then try again.", destination, source))
	}
	if !slices.Contains(p.directories, destination) {
		p.directories = append(p.directories, destination)
		p.instructions = append(p.instructions, makeDirectory{Type: "mkdir", Directory: destination})
	}
	return nil
}

// addPermissions applies each entry only to what this Install creates: an object that existed before keeps its
// permissions.
func (p *plan) addPermissions(permissions []appspec.Permission) error {
	for _, permission := range permissions {
		objects, err := p.covered(permission)
		if err != nil {
			return err
		}
		for _, object := range objects {
			if slices.Contains(p.permitted, object) {
				return appspec.Violation(fmt.Sprintf("The deployment failed because the permissions setting for (%s) is specified more than once in the application specification file. "+
					"Update the files section of the AppSpec file, and then try again.", object))
			}
			p.permitted = append(p.permitted, object)
			p.instructions = append(p.instructions, permissionInstructions(object, permission)...)
		}
	}
	return nil
}

// checkContexts returns the error that the agent makes of a context without a range: it cannot write its instructions
// down (ChangeContextCommand#to_h).
func (p *plan) checkContexts() error {
	for _, step := range p.instructions {
		if c, ok := step.(changeContext); ok && c.Context.Range == "" {
			return &Failure{Code: UnknownError, Message: "undefined method `get_range' for nil:NilClass",
				Hint: "the context of " + c.File + " needs a range: give the agent one, such as s0"}
		}
	}
	return nil
}

// covered returns the objects that an entry applies to.
func (p *plan) covered(permission appspec.Permission) ([]string, error) {
	object := p.agent.hostPath(permission.Object)
	if slices.Contains(p.copies, object) {
		if !permission.AppliesTo("file") {
			return nil, nil
		}
		if err := permission.CheckFile(); err != nil {
			return nil, err
		}
		return []string{object}, permission.CheckFileACL()
	}
	if !slices.Contains(p.directories, object) && !p.agent.hostIsDir(object) {
		p.warn("permissions: this deployment does not install %s, so the agent ignores the entry", object)
		return nil, nil
	}
	var objects []string
	if permission.AppliesTo("file") {
		for _, file := range p.copies {
			matched, err := permission.Matches(object, file)
			if err != nil {
				return nil, err
			}
			if matched {
				if err := permission.CheckFileACL(); err != nil {
					return nil, err
				}
				objects = append(objects, file)
			}
		}
	}
	if permission.AppliesTo("directory") {
		for _, directory := range p.directories {
			matched, err := permission.Matches(object, directory)
			if err != nil {
				return nil, err
			}
			if matched {
				objects = append(objects, directory)
			}
		}
	}
	return objects, nil
}
