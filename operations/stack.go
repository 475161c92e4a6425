// Package operations reads and changes a running stack through AWS's APIs: its secrets, its releases, and what its
// application prints. It knows where a stack keeps them, and nothing of how the stack is declared.
package operations

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
)

// Stack says which stack, and where it is.
type Stack struct {
	// Project is its name in Pulumi.yaml.
	Project string
	// Name has neither organization nor project: dev.
	Name string
	// Region is the AWS region, such as eu-central-1.
	Region string
}

// pipeline is the name of the stack's pipeline.
func (s Stack) pipeline() string { return s.Project + "-" + s.Name }

// path is where Parameter Store has what belongs to the stack.
func (s Stack) path() string { return "/" + s.Project + "/" + s.Name }

// connect returns what a client for the stack's region needs. It looks for credentials at once: a client that finds
// none only says so within an error about the last place where it looked. Nothing is logged, neither requests nor
// advice.
func (s Stack) connect(ctx context.Context) (aws.Config, error) {
	settings, err := config.LoadDefaultConfig(ctx, config.WithRegion(s.Region), config.WithLogger(logging.Nop{}))
	if err == nil {
		_, err = settings.Credentials.Retrieve(ctx)
	}
	switch {
	case ctx.Err() != nil:
		return aws.Config{}, ctx.Err()
	case err != nil:
		return aws.Config{}, fmt.Errorf("AWS credentials: %w\n%s", err, credentialsRemedy)
	}
	return settings, nil
}
