// Package cli stands in for the AWS CLI on machines without a suitable version: it makes the few calls that the
// deploy scripts make, with the output, error text and exit codes of AWS CLI version 2. It takes credentials and
// endpoint from where AWS's own tools do, and rejects any other call.
package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"
)

// Exit codes of the AWS CLI (its user guide, "Command line return codes in the AWS CLI").
const (
	exitOK            = 0
	exitUsage         = 252 // the command is not understood
	exitConfiguration = 253 // no credentials, no region
	exitRefused       = 254 // the service answered with an error
	exitGeneral       = 255
)

// command is a supported call. Every option is required, and its value must match.
type command struct {
	options map[string]*regexp.Regexp
	run     func(ctx context.Context, client *ecr.Client, options map[string]string) (string, error)
}

var anything = regexp.MustCompile(`^.+$`)

var commands = map[string]command{
	"ecr get-login-password": {map[string]*regexp.Regexp{"--region": anything}, getLoginPassword},
	"ecr describe-images": {map[string]*regexp.Regexp{
		"--region":          anything,
		"--repository-name": anything,
		"--image-ids":       regexp.MustCompile(`^imageTag=[^,]+$`),
		"--query":           regexp.MustCompile(`^imageDetails\[0\]\.imageDigest$`),
		"--output":          regexp.MustCompile(`^text$`),
	}, describeImages},
}

// Main runs one call, given as the arguments after "aws", and returns the exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	c, options, err := parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "\naws: error: %v\n", err)
		return exitUsage
	}
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(options["--region"]))
	if err == nil {
		_, err = cfg.Credentials.Retrieve(ctx)
	}
	if err != nil {
		fmt.Fprintf(stderr, "\nUnable to locate credentials. You can configure credentials by running \"aws configure\".\n%v\n", err)
		return exitConfiguration
	}
	answer, err := c.run(ctx, ecr.NewFromConfig(cfg), options)
	if err != nil {
		return report(stderr, err)
	}
	fmt.Fprintln(stdout, answer)
	return exitOK
}

// parse parses "service operation --option value ...".
func parse(args []string) (command, map[string]string, error) {
	name := strings.Join(args[:min(2, len(args))], " ")
	c, ok := commands[name]
	if !ok {
		return c, nil, unserved(args)
	}
	options := map[string]string{}
	for rest := args[2:]; len(rest) > 0; rest = rest[2:] {
		want, known := c.options[rest[0]]
		if !known || len(rest) == 1 || !want.MatchString(rest[1]) {
			return c, nil, unserved(args)
		}
		options[rest[0]] = rest[1]
	}
	for _, option := range slices.Sorted(maps.Keys(c.options)) {
		if options[option] == "" {
			return c, nil, fmt.Errorf("the following arguments are required: %s", option)
		}
	}
	return c, options, nil
}

func unserved(args []string) error {
	return fmt.Errorf("the rehearsal's built-in aws does not support %q; install the AWS CLI, version 1.29, 2.13 or newer, "+
		"to make this call (https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html)",
		"aws "+strings.Join(args, " "))
}

func getLoginPassword(ctx context.Context, client *ecr.Client, _ map[string]string) (string, error) {
	out, err := client.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return "", err
	}
	if len(out.AuthorizationData) == 0 {
		return "", errors.New("authorization token: the response has none")
	}
	login, err := base64.StdEncoding.DecodeString(aws.ToString(out.AuthorizationData[0].AuthorizationToken))
	if err != nil {
		return "", fmt.Errorf("authorization token: %w", err)
	}
	_, password, _ := strings.Cut(string(login), ":")
	return password, nil
}

func describeImages(ctx context.Context, client *ecr.Client, options map[string]string) (string, error) {
	tag := strings.TrimPrefix(options["--image-ids"], "imageTag=")
	out, err := client.DescribeImages(ctx, &ecr.DescribeImagesInput{
		RepositoryName: aws.String(options["--repository-name"]),
		ImageIds:       []types.ImageIdentifier{{ImageTag: aws.String(tag)}},
	})
	if err != nil {
		return "", err
	}
	if len(out.ImageDetails) == 0 {
		return "None", nil // what --output text prints for a query without a result
	}
	return aws.ToString(out.ImageDetails[0].ImageDigest), nil
}

// report prints an error as the AWS CLI does and returns its exit code.
func report(stderr io.Writer, err error) int {
	var refused smithy.APIError
	var operation *smithy.OperationError
	if errors.As(err, &refused) && errors.As(err, &operation) {
		fmt.Fprintf(stderr, "\nAn error occurred (%s) when calling the %s operation: %s\n",
			refused.ErrorCode(), operation.Operation(), refused.ErrorMessage())
		return exitRefused
	}
	fmt.Fprintf(stderr, "\n%v\n", err)
	return exitGeneral
}
