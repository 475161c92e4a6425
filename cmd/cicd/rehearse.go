package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"cicd/automation"
	"cicd/rehearsal"
	"cicd/rehearsal/bench"
	"cicd/rehearsal/change"
	"cicd/rehearsal/drill"
	"cicd/rehearsal/load"
	"cicd/rehearsal/permissions"
	"cicd/rehearsal/serve"
	"cicd/rehearsal/world"
)

func (c cli) rehearse() *cobra.Command {
	var kinds kinds
	options := world.Options{Stderr: c.stderr}
	cmd := &cobra.Command{
		Use:   "rehearse",
		Short: "Run the stack and its pipeline on this machine, without AWS",
		Long: `Run the stack and its pipeline on this machine: the real program, git push,
build, Docker and deployment, with stand-ins for AWS and GitHub. It pushes the
newest commit of this checkout, waits until it is served, pushes a change,
checks that no request fails meanwhile, and removes everything it made. The logs
of builds and hooks are in .rehearsal/ in the checkout; after a failure they
stay until the next rehearsal of the same stack.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			scenario, err := c.scenario(kinds)
			if err = errors.Join(err, checkPort(options.Port), kinds.checkDrill(cmd)); err != nil {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			if kinds.drill == drillList {
				for _, d := range drill.All() {
					fmt.Fprintln(c.stdout, d)
				}
				return nil
			}
			options.Stack = automation.ShortName(options.Stack)
			if options.ProjectDir, err = projectDir(); err != nil {
				return err
			}
			if options.BuiltInAWS, err = os.Executable(); err != nil { // see start
				return err
			}
			return rehearsal.Run(cmd.Context(), options, scenario)
		},
	}
	cmd.Flags().StringVar(&options.Stack, "stack", rehearsal.DefaultStack, "`name` of the stack whose settings are used")
	cmd.Flags().IntVar(&options.Port, "port", 0, "`port` of the application on 127.0.0.1 (default any free)")
	cmd.Flags().BoolVar(&options.Verbose, "verbose", false, "show what builds and hooks print")
	cmd.Flags().BoolVar(&options.Keep, "keep", false, "keep the logs of builds and hooks, in .rehearsal/")
	completeStacks(cmd)
	kinds.add(cmd)
	return cmd
}

// checkPort rejects what is no port. 0 stands for any free one.
func checkPort(port int) error {
	if port < 0 || port > 65535 {
		return fmt.Errorf("--port %d: want 1 to 65535, or 0 for any free port", port)
	}
	return nil
}

// drillList is the name by which --drill lists the drills.
const drillList = "list"

// kinds are the flags that choose the kind of rehearsal, of which only one may be set, and --json.
type kinds struct {
	serve, load, permissions, bench, json bool
	drill                                 string
}

func (k *kinds) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&k.serve, "serve", false, "keep running until Ctrl-C, for pushes of your own")
	cmd.Flags().BoolVar(&k.load, "load", false, "measure requests during 20 releases, and check the results")
	cmd.Flags().StringVar(&k.drill, "drill", "", "cause a failure, which must harm nobody: `name`, all or list")
	cmd.Flags().BoolVar(&k.permissions, "permissions", false, "compare granted with used permissions, and check both")
	cmd.Flags().BoolVar(&k.bench, "bench", false, "measure performance, and write docs/performance.md")
	cmd.Flags().BoolVar(&k.json, "json", false, "print the result of --load or --permissions as JSON")
	complete(cmd, "drill", func() []string {
		names := []string{"all", drillList}
		for _, d := range drill.All() {
			names = append(names, d.Name+"\t"+d.Breaks)
		}
		return names
	})
}

// checkDrill rejects --drill without a name.
func (k *kinds) checkDrill(cmd *cobra.Command) error {
	if k.drill == "" && cmd.Flags().Changed("drill") {
		return errors.New("--drill needs a name: see --drill list")
	}
	return nil
}

// scenario returns the scenario that the flags choose. More than one is an error, and so is --json for one without JSON.
func (c cli) scenario(k kinds) (rehearsal.Scenario, error) {
	var chosen []string
	scenario := rehearsal.Scenario(change.Scenario{Out: c.stdout})
	choose := func(flag string, s rehearsal.Scenario) { chosen, scenario = append(chosen, flag), s }
	if k.serve {
		choose("--serve", serve.Scenario{})
	}
	if k.load {
		choose("--load", load.Scenario{Out: c.stdout, JSON: k.json})
	}
	switch drills, err := drill.Find(k.drill); {
	case k.drill == "":
	case k.drill == drillList:
		choose("--drill", nil)
	case err != nil:
		return nil, err
	default:
		choose("--drill", drill.Scenario{Drills: drills, Out: c.stdout})
	}
	if k.permissions {
		choose("--permissions", permissions.Scenario{Out: c.stdout, JSON: k.json})
	}
	if k.bench {
		choose("--bench", bench.Scenario{Out: c.stdout})
	}
	if len(chosen) > 1 {
		return nil, fmt.Errorf("choose one of %s", strings.Join(chosen, ", "))
	}
	if k.json && !slices.Contains([]string{"--load", "--permissions"}, strings.Join(chosen, "")) {
		return nil, errors.New("--json needs --load or --permissions: add one of them")
	}
	return scenario, nil
}
