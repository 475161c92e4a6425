package main

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func (c cli) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of this program and of its libraries",
		Args:  cobra.NoArgs,
		Run:   func(*cobra.Command, []string) { fmt.Fprintln(c.stdout, "cicd version "+version()) },
	}
}

// version says what this program was built from: a release or a commit, if Go knows one, and the versions of the
// modules that decide what it declares.
func version() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := build.Main.Version
	for _, setting := range build.Settings {
		if setting.Key == "vcs.revision" {
			text += " " + setting.Value
		}
	}
	for _, module := range build.Deps {
		if strings.HasPrefix(module.Path, "github.com/pulumi/pulumi-aws/sdk") || module.Path == "github.com/pulumi/pulumi/sdk/v3" {
			text += fmt.Sprintf("\n%s %s", module.Path, module.Version)
		}
	}
	return text + "\n" + build.GoVersion
}
