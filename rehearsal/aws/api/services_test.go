package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	sdklogs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	sdkconnections "github.com/aws/aws-sdk-go-v2/service/codeconnections"
	connectiontypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"
	sdksecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	sdkssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"cicd/rehearsal/aws/account"
)

// grant gives the fixture's role the statements.
func (f *fixture) grant(statements string) {
	put(f.account, account.RolePolicy, "build", map[string]any{"role": "build", "policy": `{"Version":"2012-10-17","Statement":[` + statements + `]}`})
}

const everything = `{"Effect":"Allow","Action":"*","Resource":"*"}`

// Each action of Parameter Store, with a real client.
func TestParameterStore(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	f.grant(everything)
	client := sdkssm.NewFromConfig(f.config(nil))
	before := time.Now().Add(-time.Second)
	name := aws.String("/cicd/dev/DATABASE_URL")
	put := &sdkssm.PutParameterInput{Name: name, Value: aws.String("one\n\"two\""), Type: ssmtypes.ParameterTypeSecureString,
		Tier: ssmtypes.ParameterTierStandard, Description: aws.String("for the test"), Tags: []ssmtypes.Tag{{Key: aws.String("Stack"), Value: aws.String("dev")}}}
	made, err := client.PutParameter(ctx, put)
	if err != nil || made.Version != 1 || made.Tier != ssmtypes.ParameterTierStandard {
		t.Fatalf("put %+v, %v", made, err)
	}
	var exists *ssmtypes.ParameterAlreadyExists
	if _, err := client.PutParameter(ctx, put); !errors.As(err, &exists) {
		t.Errorf("error %v, want that it exists", err)
	}
	one, err := client.GetParameter(ctx, &sdkssm.GetParameterInput{Name: name, WithDecryption: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	if p := one.Parameter; aws.ToString(p.Value) != "one\n\"two\"" || p.Version != 1 || p.LastModifiedDate.Before(before) || p.LastModifiedDate.After(time.Now()) ||
		aws.ToString(p.ARN) != "arn:aws:ssm:eu-central-1:123456789012:parameter/cicd/dev/DATABASE_URL" || aws.ToString(p.DataType) != "text" {
		t.Errorf("got %+v", p)
	}
	several, err := client.GetParameters(ctx, &sdkssm.GetParametersInput{Names: []string{*name, "/cicd/dev/NONE"}})
	if err != nil || len(several.Parameters) != 1 || !slices.Equal(several.InvalidParameters, []string{"/cicd/dev/NONE"}) {
		t.Errorf("got %+v, %v", several, err)
	}
	var missing *ssmtypes.ParameterNotFound
	if _, err := client.GetParameter(ctx, &sdkssm.GetParameterInput{Name: aws.String("/cicd/dev/NONE")}); !errors.As(err, &missing) {
		t.Errorf("error %v, want that there is none", err)
	}
	var found []string
	for pages := sdkssm.NewGetParametersByPathPaginator(client, &sdkssm.GetParametersByPathInput{Path: aws.String("/cicd"), Recursive: aws.Bool(true)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Parameters {
			found = append(found, *p.Name)
		}
	}
	described, err := client.DescribeParameters(ctx, &sdkssm.DescribeParametersInput{MaxResults: aws.Int32(50),
		ParameterFilters: []ssmtypes.ParameterStringFilter{{Key: aws.String("Name"), Option: aws.String("BeginsWith"), Values: found}}})
	if err != nil || len(described.Parameters) != 1 || aws.ToString(described.Parameters[0].KeyId) != "alias/aws/ssm" ||
		aws.ToString(described.Parameters[0].Description) != "for the test" || aws.ToString(described.Parameters[0].LastModifiedUser) != f.session.ARN() {
		t.Errorf("described %+v, %v", described, err)
	}
	if _, err := client.DeleteParameter(ctx, &sdkssm.DeleteParameterInput{Name: name}); err != nil {
		t.Error(err)
	}
	deleted, err := client.DeleteParameters(ctx, &sdkssm.DeleteParametersInput{Names: []string{*name}})
	if err != nil || !slices.Equal(deleted.InvalidParameters, []string{*name}) {
		t.Errorf("deleted %+v, %v", deleted, err)
	}
	_, err = client.GetParameterHistory(ctx, &sdkssm.GetParameterHistoryInput{Name: name})
	wantRefusal(t, err, "UnknownOperationException", "does not serve AmazonSSM.GetParameterHistory")
	_, err = client.PutParameter(ctx, &sdkssm.PutParameterInput{Name: name, Value: aws.String("x"), KeyId: aws.String("alias/mine")})
	wantRefusal(t, err, "InvalidParameterException", `the rehearsal does not serve this request: json: unknown field "KeyId"`)
	f.grant(`{"Effect":"Deny","Action":"*","Resource":"*"}`)
	_, err = client.DescribeParameters(ctx, nil)
	wantRefusal(t, err, "AccessDeniedException", "is not authorized to perform: ssm:DescribeParameters on resource: *")
}

// A person's session works like any other.
func TestAdministratorSignsIn(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	f.session = f.authority.Administrator("jane")
	client := sdkssm.NewFromConfig(f.config(nil))
	if _, err := client.PutParameter(ctx, &sdkssm.PutParameterInput{Name: aws.String("/cicd/dev/A"), Value: aws.String("x"), Type: ssmtypes.ParameterTypeString}); err != nil {
		t.Error(err)
	}
}

func TestSecretsManager(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	f.grant(everything)
	const text = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/text-a1B2c3"
	const binary = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/binary-a1B2c3"
	if err := errors.Join(f.secrets.Set(text, `{"user":"jane"}`), f.secrets.SetBinary(binary, []byte{0, 0xff})); err != nil {
		t.Fatal(err)
	}
	client := sdksecrets.NewFromConfig(f.config(nil))
	got, err := client.GetSecretValue(ctx, &sdksecrets.GetSecretValueInput{SecretId: aws.String(text)})
	if err != nil || aws.ToString(got.SecretString) != `{"user":"jane"}` || got.SecretBinary != nil || time.Since(*got.CreatedDate) > time.Minute ||
		aws.ToString(got.ARN) != text || aws.ToString(got.Name) != "prod/text" || !slices.Equal(got.VersionStages, []string{"AWSCURRENT"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	again, err := client.GetSecretValue(ctx, &sdksecrets.GetSecretValueInput{SecretId: aws.String("prod/text"), VersionId: got.VersionId})
	if err != nil || aws.ToString(again.SecretString) != `{"user":"jane"}` {
		t.Errorf("by name and version: %+v, %v", again, err)
	}
	got, err = client.GetSecretValue(ctx, &sdksecrets.GetSecretValueInput{SecretId: aws.String(binary)})
	if err != nil || !bytes.Equal(got.SecretBinary, []byte{0, 0xff}) || got.SecretString != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = client.GetSecretValue(ctx, &sdksecrets.GetSecretValueInput{SecretId: aws.String("none")})
	wantRefusal(t, err, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	f.grant(`{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*"}`)
	_, err = client.GetSecretValue(ctx, &sdksecrets.GetSecretValueInput{SecretId: aws.String(text)})
	wantRefusal(t, err, "AccessDeniedException", "Access to KMS is not allowed (User: ")
}

func TestCloudWatchLogs(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	f.grant(everything)
	put(f.account, account.LogGroup, "logs", map[string]any{"name": "/cicd/dev", "retentionInDays": 30.0})
	client := sdklogs.NewFromConfig(f.config(nil))
	group, stream := aws.String("/cicd/dev"), aws.String("web/0123456789ab/1")
	if _, err := client.CreateLogStream(ctx, &sdklogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream}); err != nil {
		t.Fatal(err)
	}
	var exists *logtypes.ResourceAlreadyExistsException
	if _, err := client.CreateLogStream(ctx, &sdklogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream}); !errors.As(err, &exists) {
		t.Errorf("error %v, want that it exists", err)
	}
	now := time.Now().UnixMilli()
	events := []logtypes.InputLogEvent{{Timestamp: aws.Int64(0), Message: aws.String("old")}, {Timestamp: aws.Int64(now), Message: aws.String("one")},
		{Timestamp: aws.Int64(now), Message: aws.String("two \x00<\u2028")}}
	out, err := client.PutLogEvents(ctx, &sdklogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: events})
	if err != nil || out.RejectedLogEventsInfo == nil || aws.ToInt32(out.RejectedLogEventsInfo.TooOldLogEventEndIndex) != 1 || out.RejectedLogEventsInfo.TooNewLogEventStartIndex != nil {
		t.Errorf("put %+v, %v", out.RejectedLogEventsInfo, err)
	}
	var read []string
	for pages := sdklogs.NewGetLogEventsPaginator(client, &sdklogs.GetLogEventsInput{LogGroupName: group, LogStreamName: stream,
		StartFromHead: aws.Bool(true), Limit: aws.Int32(1)}, func(o *sdklogs.GetLogEventsPaginatorOptions) { o.StopOnDuplicateToken = true }); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			read = append(read, *e.Message)
		}
	}
	if want := []string{"one", "two \x00<\u2028"}; !slices.Equal(read, want) {
		t.Errorf("read %q, want %q", read, want)
	}
	filtered, err := client.FilterLogEvents(ctx, &sdklogs.FilterLogEventsInput{LogGroupName: group, LogStreamNamePrefix: aws.String("web/"), FilterPattern: aws.String("two")})
	if err != nil || len(filtered.Events) != 1 || *filtered.Events[0].LogStreamName != *stream || *filtered.Events[0].Timestamp != now || *filtered.Events[0].EventId == "" {
		t.Errorf("filtered %+v, %v", filtered, err)
	}
	described, err := client.DescribeLogStreams(ctx, &sdklogs.DescribeLogStreamsInput{LogGroupName: group, OrderBy: logtypes.OrderByLastEventTime, Descending: aws.Bool(true)})
	if err != nil || len(described.LogStreams) != 1 || *described.LogStreams[0].LastEventTimestamp != now {
		t.Errorf("described %+v, %v", described, err)
	}
	_, err = client.DescribeMetricFilters(ctx, nil)
	wantRefusal(t, err, "UnknownOperationException", "does not serve Logs_20140328.DescribeMetricFilters")
}

// The largest batch that CloudWatch Logs takes fits into a request, however it is written in JSON.
func TestLargestBatch(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	f.grant(everything)
	put(f.account, account.LogGroup, "logs", map[string]any{"name": "/cicd/dev"})
	client := sdklogs.NewFromConfig(f.config(nil))
	group, stream := aws.String("/cicd/dev"), aws.String("web")
	if _, err := client.CreateLogStream(ctx, &sdklogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream}); err != nil {
		t.Fatal(err)
	}
	events := slices.Repeat([]logtypes.InputLogEvent{{Timestamp: aws.Int64(time.Now().UnixMilli()), Message: aws.String(strings.Repeat("\x01", 78))}}, 10_000)
	if _, err := client.PutLogEvents(ctx, &sdklogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: events}); err != nil {
		t.Error(err)
	}
	events[0].Message = aws.String(strings.Repeat("\x01", 9<<20))
	_, err := client.PutLogEvents(ctx, &sdklogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: events[:1]})
	wantRefusal(t, err, "RequestEntityTooLargeException", "more than 8388608 bytes")
}

// A client of a service that is away has its connection closed, and repeats its request. The other services answer.
func TestLogsAway(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	f.grant(everything)
	f.logs.SetAway(true)
	attempts := 0
	client := sdklogs.NewFromConfig(f.config(nil), func(o *sdklogs.Options) {
		o.RetryMaxAttempts = 3
		o.Retryer = retry.AddWithMaxAttempts(retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { attempts++; return 0, nil })
		}), 3)
	})
	_, err := client.CreateLogStream(ctx, &sdklogs.CreateLogStreamInput{LogGroupName: aws.String("/cicd/dev"), LogStreamName: aws.String("web")})
	if err == nil || attempts != 2 || !errors.Is(err, io.EOF) {
		t.Errorf("error %v after %d repetitions, want that the connection ended, after 2", err, attempts)
	}
	if _, err := sdkssm.NewFromConfig(f.config(nil)).DescribeParameters(ctx, nil); err != nil {
		t.Error(err)
	}
}

// TestGetConnection: what a declared connection waits for, to those who may know.
func TestGetConnection(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	const arn = "arn:aws:codeconnections:eu-central-1:123456789012:connection/c"
	in := &sdkconnections.GetConnectionInput{ConnectionArn: aws.String(arn)}
	client := sdkconnections.NewFromConfig(f.config(nil))
	f.allow = func(action string) error { return errors.New(action) }
	_, err := client.GetConnection(ctx, in)
	wantRefusal(t, err, "AccessDeniedException", "codeconnections:GetConnection")
	f.allow = func(string) error { return nil }
	var missing *connectiontypes.ResourceNotFoundException
	if _, err := client.GetConnection(ctx, in); !errors.As(err, &missing) {
		t.Errorf("%v, want that there is none", err)
	}
	put(f.account, account.Connection, "c", map[string]any{"arn": arn, "name": "cicd-dev", "providerType": "GitHub", "connectionStatus": "PENDING"})
	got, err := client.GetConnection(ctx, in)
	if err != nil || got.Connection.ConnectionStatus != connectiontypes.ConnectionStatusPending || aws.ToString(got.Connection.ConnectionName) != "cicd-dev" {
		t.Errorf("%+v, %v, want a pending one", got, err)
	}
}
