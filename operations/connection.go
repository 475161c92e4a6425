package operations

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
)

// connectionPoll is the time between two looks at a connection, which a person authorizes in minutes.
const connectionPoll = 2 * time.Second

// AwaitConnection waits until a connection is authorized, or ctx ends.
func (s Stack) AwaitConnection(ctx context.Context, arn string) error {
	settings, err := s.connect(ctx)
	if err != nil {
		return err
	}
	client := codeconnections.NewFromConfig(settings)
	for {
		answer, err := client.GetConnection(ctx, &codeconnections.GetConnectionInput{ConnectionArn: aws.String(arn)})
		if err != nil {
			return s.explain(ctx, "connection "+arn, err, connectionRemedies)
		}
		switch answer.Connection.ConnectionStatus {
		case types.ConnectionStatusAvailable:
			return nil
		case types.ConnectionStatusError:
			return fmt.Errorf("connection %s: its status is ERROR\nTo do: see what the console says of it, or delete it there and run `cicd up` again", arn)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(connectionPoll):
		}
	}
}
