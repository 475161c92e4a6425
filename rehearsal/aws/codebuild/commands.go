package codebuild

import (
	_ "embed"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"cicd/internal/buildimages"
	"cicd/internal/shellword"
)

// This file keeps this machine's commands from standing in for those of the build's image. A command that the image
// lacks is not found, and the use of a language's commands is noted, to compare versions.

//go:embed absent.sh
var absentScript string

// installCommands puts commands in front of this machine's.
func (b *build) installCommands(i buildimages.Image) error {
	began := filepath.Join(b.dir, "began")
	if err := os.WriteFile(began, nil, 0o644); err != nil {
		return err
	}
	for _, name := range i.Lacking() {
		err := b.replace(name, func(string) string {
			return assign("NAME", name, "IMAGE", b.project.Environment.Image, "BEGAN", began) + absentScript
		})
		if err != nil {
			return err
		}
	}
	for name := range i.Runtimes {
		for _, command := range buildimages.Curated().Languages[name].Commands {
			err := b.replace(command, func(real string) string {
				if command == "go" {
					return assign("IMAGE_GO", b.runtimes[name].Installed, "REAL_GO", real, "GO_USED", b.usedFile(name)) + goScript
				}
				return fmt.Sprintf(": >%s\nexec %s \"$@\"\n", shellword.Quote(b.usedFile(name)), shellword.Quote(real))
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// usedFile is there once the build has used a language.
func (b *build) usedFile(language string) string { return filepath.Join(b.dir, "used-"+language) }

// replace puts a script in front of a command, if this machine has it.
func (b *build) replace(name string, script func(real string) string) error {
	real := findCommand(name, b.machinePath)
	if real == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(b.binDir(), name), []byte("#!/bin/sh\n"+script(real)), 0o755)
}

// assign returns assignments of variables for a shell script.
func assign(variables ...string) (text string) {
	for pair := range slices.Chunk(variables, 2) {
		text += pair[0] + "=" + shellword.Quote(pair[1]) + "\n"
	}
	return text
}

// findCommand returns the path of a command in the folders of a PATH, or "".
func findCommand(name, path string) string {
	for _, dir := range filepath.SplitList(path) {
		command := filepath.Join(dir, name)
		if about, err := os.Stat(command); err == nil && !about.IsDir() && about.Mode()&0o111 != 0 {
			return command
		}
	}
	return ""
}

var number = regexp.MustCompile(`\d+(\.\d+)*`)

// compareRuntimes warns of languages that the build has used in another version than CodeBuild's.
func (b *build) compareRuntimes() {
	for _, name := range slices.Sorted(maps.Keys(b.runtimes)) {
		if _, err := os.Stat(b.usedFile(name)); err != nil {
			continue
		}
		wanted := b.runtimes[name]
		here := b.runner.versionHere(name, b.machinePath)
		if here != "" && !sameVersion(here, wanted.Release) {
			b.warn("the build used this machine's %s %s; CodeBuild has %s, %s", name, here, wanted.Installed, wanted.Origin)
		}
	}
}

// versionHere returns this machine's version of a language, or "" if it does not tell.
func (r *Runner) versionHere(name, path string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	version, known := r.versions[name]
	if !known {
		ask := buildimages.Curated().Languages[name].Version
		cmd := exec.Command(findCommand(ask[0], path), ask[1:]...)
		cmd.Env = []string{"PATH=" + path}
		out, _ := cmd.CombinedOutput()
		version = number.FindString(strings.Replace(string(out), `version "1.`, `version "`, 1)) // Java 8 calls itself 1.8
		if r.versions == nil {
			r.versions = map[string]string{}
		}
		r.versions[name] = version
	}
	return version
}

// sameVersion reports whether a version is a release's, which has fewer digits: 3.11.15 is a 3.11.
func sameVersion(version, release string) bool { return strings.HasPrefix(version+".", release+".") }

// missing matches the messages of shells and make when a command is not found.
var missing = regexp.MustCompile(`(?m)(?:^|[ :])([\w.+-]+): (?:(?:command )?not found|No such file or directory)\r?$`)

// explainMissing says which of the commands that were not found, by the output of another, are the image's.
func (b *build) explainMissing(output string) string {
	i, known := buildimages.Curated().Images[b.project.Environment.Image]
	if !known {
		return ""
	}
	var text string
	for _, match := range missing.FindAllStringSubmatch(output, -1) {
		name := match[1]
		if i.Has(name) && findCommand(name, b.machinePath) == "" && !strings.Contains(text, " "+name+",") {
			text += fmt.Sprintf("\n    Rehearsal: CodeBuild's image has %s, but this machine does not: install it here to rehearse this build.", name)
		}
	}
	return text
}
