package world

import (
	"fmt"
	"os"
	"strings"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/codebuild"
)

// checkArchitecture returns an error if the declared builds are for another architecture than this machine's, whose
// programs do not run on it: neither the application's tests nor its container would start.
func checkArchitecture(acct *account.Account, here string, emulated func(architecture string) bool) error {
	for _, project := range acct.ByType(account.Project) {
		environment, _ := project.Properties["environment"].(map[string]any)
		kind, _ := environment["type"].(string)
		declared := codebuild.Architecture(kind)
		if declared != "" && declared != here && !emulated(declared) {
			return fmt.Errorf("the stack is for %[1]s, by its instanceType, and this machine, which is %[2]s, cannot run programs for %[1]s: "+
				"rehearse it with an instanceType that is %[2]s, or on a machine that is %[1]s, or let this one emulate it: "+
				"docker run --privileged --rm tonistiigi/binfmt --install %[1]s", declared, here)
		}
	}
	return nil
}

// emulators are the names under which emulators of an architecture register (Docker manual, "Multi-platform builds").
var emulators = map[string][]string{"arm64": {"qemu-aarch64"}, "amd64": {"qemu-x86_64", "rosetta"}}

// emulates reports whether this machine runs programs for another architecture with an emulator.
func emulates(architecture string) bool {
	for _, name := range emulators[architecture] {
		state, err := os.ReadFile("/proc/sys/fs/binfmt_misc/" + name)
		if err == nil && strings.HasPrefix(string(state), "enabled") {
			return true
		}
	}
	return false
}
