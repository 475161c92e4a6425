package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"cicd/automation"
	"cicd/infra"
	"cicd/operations"
)

// question is one thing that `cicd init` asks for.
type question struct {
	key     string // of the configuration, with its namespace unless it is the project's
	flag    string
	usage   string // of the flag
	ask     string
	comment string // in the file
	value   string // the default, then the answer
}

// questions are in the order in which they are asked and written. A production stack has other defaults.
func questions(production bool) []question {
	instance, branch := "t3.micro", "main"
	if production {
		instance, branch = "t3.small", "release"
	}
	return []question{
		{"aws:region", "region", "AWS `region`", "AWS region", "", "eu-central-1"},
		{"repository", "repository", "GitHub repository, `owner/name`", "GitHub repository to release, as owner/name", "The repository to release, and the branch whose pushes are released.", ""},
		{"branch", "branch", "`branch` to release", "Branch whose pushes are released", "", branch},
		{"appPath", "app", "application's `folder`", "Folder of the application in the repository, . for its root", "The application's folder, with its Dockerfile.", "webapp"},
		{"instanceType", "instance-type", "EC2 `type` of the host", "EC2 instance type of the host", "", instance},
		{"operatorIp", "operator-ip", "`address` for SSH, or me or none", "Address that may use SSH (me: this machine's; none: SSH stays closed)", "Who may use SSH.", "none"},
	}
}

// productionSettings are what a production stack has beside the answers, as in Pulumi.prod.yaml.
const productionSettings = `  # Each release waits for a person, and nothing that has data can be deleted by mistake. To destroy this stack:
  # pulumi config set protect false, pulumi up, pulumi destroy.
  %[1]s:approval: true
  %[1]s:protect: true
  %[1]s:keepImages: 50
  %[1]s:logRetentionDays: 365
`

func (c cli) init() *cobra.Command {
	var production bool
	flags := questions(false)
	cmd := &cobra.Command{
		Use:   "init STACK",
		Short: "Write the settings of a new stack, after some questions",
		Long: `Write the settings of a new stack to Pulumi.STACK.yaml. It asks for what a stack
needs, checks each answer, and changes nothing in AWS. A flag answers a
question; without a terminal, as in CI, the flags and defaults are all answers.`,
		Example: `  cicd init dev
  cicd init prod --production --repository acme/shop --operator-ip me`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asked := questions(production)
			for i := range asked {
				if cmd.Flags().Changed(asked[i].flag) {
					asked[i].value, asked[i].ask = flags[i].value, ""
				}
			}
			return c.initStack(cmd.Context(), args[0], production, asked)
		},
	}
	for i := range flags {
		cmd.Flags().StringVar(&flags[i].value, flags[i].flag, flags[i].value, flags[i].usage)
	}
	cmd.Flags().BoolVar(&production, "production", false, "approve each deployment, and protect data")
	return cmd
}

func (c cli) initStack(ctx context.Context, stack string, production bool, asked []question) error {
	dir, err := projectDir()
	if err != nil {
		return err
	}
	project, err := automation.ReadProject(dir)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, settingsFile(stack))
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("stack %s has settings already: edit %s, or use `pulumi config set KEY VALUE --stack %[1]s`", stack, path)
	}
	if problem := c.problem(project, stack, "aws:region", "eu-central-1"); problem != "" {
		return fmt.Errorf("%s: %w", problem, errUsage)
	}
	if err := c.askAll(ctx, project, stack, asked); err != nil {
		return err
	}
	text := settingsText(project, stack, production, asked)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	if err := errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	fmt.Fprintf(c.stdout, "Wrote %s. Next: rehearse it here, then create it in AWS:\n    cicd rehearse --stack %s\n    cicd up --stack %[2]s\n", path, stack)
	return nil
}

// askAll gets a valid answer to each question. What flags and, without a terminal, defaults answer comes first, and it reports
// all that is wrong with that.
func (c cli) askAll(ctx context.Context, project, stack string, asked []question) error {
	var wrong []string
	for i := range asked {
		q := &asked[i]
		if q.ask != "" && c.interactive {
			continue
		}
		value, problem := c.judge(ctx, project, stack, *q, q.value)
		if q.value = value; problem != "" {
			wrong = append(wrong, fmt.Sprintf("--%s: %s", q.flag, problem))
		}
	}
	if wrong != nil {
		return fmt.Errorf("%s: %w", strings.Join(wrong, "\n"), errUsage)
	}
	reader := bufio.NewReader(c.stdin)
	for i := range asked {
		if asked[i].ask == "" || !c.interactive {
			continue
		}
		if err := c.askUntilValid(ctx, project, stack, reader, &asked[i]); err != nil {
			return err
		}
	}
	return nil
}

// askUntilValid asks a question until its answer is valid.
func (c cli) askUntilValid(ctx context.Context, project, stack string, reader *bufio.Reader, q *question) error {
	for {
		typed, err := c.ask(ctx, reader, *q)
		if err != nil {
			return err
		}
		value, problem := c.judge(ctx, project, stack, *q, typed)
		if problem == "" {
			q.value = value
			return nil
		}
		fmt.Fprintf(c.stderr, "  %s\n", problem)
	}
}

// ask asks a question. An empty answer is the default.
func (c cli) ask(ctx context.Context, reader *bufio.Reader, q question) (string, error) {
	fmt.Fprint(c.stderr, q.ask)
	if q.value != "" {
		fmt.Fprintf(c.stderr, " [%s]", q.value)
	}
	fmt.Fprint(c.stderr, ": ")
	line, err := await(ctx, func() (string, error) { return reader.ReadString('\n') })
	if errors.Is(err, io.EOF) {
		fmt.Fprintln(c.stderr)
		return "", errors.New("you ended the input, and nothing is written")
	}
	if line = strings.TrimSpace(line); line == "" {
		line = q.value
	}
	return line, err
}

// judge returns an answer's value for the settings, and what is wrong with it; "" if nothing is.
func (c cli) judge(ctx context.Context, project, stack string, q question, answer string) (value, problem string) {
	if q.flag == "operator-ip" {
		switch answer {
		case "none":
			return "", ""
		case "me":
			address, err := operations.OwnAddress(ctx)
			if err != nil {
				return answer, fmt.Sprintf("this machine's address is unknown: %v: give it, or none", err)
			}
			answer = address
		}
	}
	return answer, c.problem(project, stack, fullKey(project, q.key), answer)
}

// problem returns what is wrong with one setting of an otherwise valid stack, or with the stack's name; "" if nothing is.
func (c cli) problem(project, stack, key, value string) string {
	config := map[string]string{"aws:region": "eu-central-1", project + ":repository": "example/webapp"}
	config[key] = value
	err := c.check(project, stack, config, nil)
	var wrong *infra.ConfigError
	switch {
	case errors.As(err, &wrong):
		return strings.Join(wrong.Violations, "; ")
	case err != nil:
		return err.Error()
	}
	return ""
}

// fullKey returns a key with its namespace.
func fullKey(project, key string) string {
	if strings.Contains(key, ":") {
		return key
	}
	return project + ":" + key
}

// settingsText is the file.
func settingsText(project, stack string, production bool, asked []question) string {
	var text strings.Builder
	fmt.Fprintf(&text, "# Stack %s. Every key is described in Pulumi.yaml.\nconfig:\n", stack)
	for _, q := range asked {
		if q.value == "" {
			continue
		}
		if q.comment != "" {
			fmt.Fprintf(&text, "  # %s\n", q.comment)
		}
		value, _ := yaml.Marshal(q.value) // a string always marshals
		fmt.Fprintf(&text, "  %s: %s", fullKey(project, q.key), value)
	}
	if production {
		fmt.Fprintf(&text, productionSettings, project)
	}
	fmt.Fprintf(&text, "  # `cicd up` sets this once a person has authorized the stack's connection to GitHub.\n  %s:connectionAuthorized: false\n", project)
	return text.String()
}
