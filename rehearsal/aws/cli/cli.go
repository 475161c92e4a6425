// Package cli stands in for the AWS CLI on machines without a suitable version: it makes the few calls that the
// deploy scripts make, with the output, error text and exit codes of AWS CLI version 2. It takes credentials and
// endpoint from where AWS's own tools do, and rejects any other call.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/config"
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

// Main runs one call, given as the arguments after "aws", and returns the exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	c, given, err := parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "\naws: error: %v\n", err)
		return exitUsage
	}
	show, err := newFormat(given)
	if err != nil {
		fmt.Fprintf(stderr, "\naws: error: %v\n", err)
		return exitUsage
	}
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(given.one("--region")))
	if err == nil {
		_, err = cfg.Credentials.Retrieve(ctx)
	}
	if err != nil {
		fmt.Fprintf(stderr, "\nUnable to locate credentials. You can configure credentials by running \"aws configure\".\n%v\n", err)
		return exitConfiguration
	}
	answer, err := c.run(ctx, cfg, given)
	if err != nil {
		return report(stderr, err)
	}
	if err := show.write(stdout, answer); err != nil {
		return report(stderr, err)
	}
	return exitOK
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
