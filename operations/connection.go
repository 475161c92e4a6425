package operations

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	"github.com/aws/smithy-go"
)

// connectionPoll is the time between two looks at a connection, which a person authorizes in minutes.
const connectionPoll = 2 * time.Second

// ConnectionStatus returns the status of a connection: AVAILABLE once a person has authorized it, PENDING before, or ERROR.
func (s Stack) ConnectionStatus(ctx context.Context, arn string) (string, error) {
	settings, err := s.connect(ctx)
	if err != nil {
		return "", err
	}
	answer, err := codeconnections.NewFromConfig(settings).GetConnection(ctx, &codeconnections.GetConnectionInput{ConnectionArn: aws.String(arn)})
	if err != nil {
		return "", s.explain(ctx, "connection "+arn, err, connectionRemedies)
	}
	return string(answer.Connection.ConnectionStatus), nil
}

// AwaitConnection waits until a connection is authorized, or ctx ends.
func (s Stack) AwaitConnection(ctx context.Context, arn string) error {
	settings, err := s.connect(ctx)
	if err != nil {
		return err
	}
	client := codeconnections.NewFromConfig(settings)
	for asked := false; ; asked = true {
		answer, err := client.GetConnection(ctx, &codeconnections.GetConnectionInput{ConnectionArn: aws.String(arn)})
		switch {
		case err != nil && (!asked || ctx.Err() != nil || !passes(err)):
			return s.explain(ctx, "connection "+arn, err, connectionRemedies)
		case err != nil: // a person takes minutes, in which a laptop may sleep
		case answer.Connection.ConnectionStatus == types.ConnectionStatusAvailable:
			return nil
		case answer.Connection.ConnectionStatus == types.ConnectionStatusError:
			return fmt.Errorf("connection %s: its status is ERROR\nTo do: see what the console says of it, or delete it there and run `pulumi up --refresh`, which makes another", arn)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(connectionPoll):
		}
	}
}

// passes reports whether an error may be gone the next time: it is not AWS's answer, or says that AWS is busy or at fault.
func passes(err error) bool {
	var refused smithy.APIError
	return !errors.As(err, &refused) || refused.ErrorFault() == smithy.FaultServer || refused.ErrorCode() == "ThrottlingException"
}
