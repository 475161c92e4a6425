package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// command is a supported call.
type command struct {
	options map[string]option
	// positional are the names of arguments without an option.
	positional []string
	// run makes the call. It returns plain text, or a response as responseOf returns it.
	run func(context.Context, aws.Config, arguments) (any, error)
}

var commands = map[string]command{
	"ecr get-login-password": {run: getLoginPassword},
	"ecr describe-images": {run: describeImages, options: map[string]option{
		"--repository-name": required, "--image-ids": {want: regexp.MustCompile(`^imageTag=[^,]+$`)},
	}},
	"logs create-log-stream": {run: createLogStream, options: map[string]option{
		"--log-group-name": required, "--log-stream-name": required,
	}},
	"s3api get-object": {run: getObject, positional: []string{"outfile"}, options: map[string]option{
		"--bucket": required, "--key": required, "--version-id": {optional: true},
	}},
	"secretsmanager get-secret-value": {run: getSecretValue, options: map[string]option{
		"--secret-id": required, "--version-id": {optional: true}, "--version-stage": {optional: true},
	}},
	"ssm get-parameters": {run: getParameters, options: map[string]option{
		"--names": {many: true}, "--with-decryption": flag,
	}},
	"ssm put-parameter": {run: putParameter, options: map[string]option{
		"--name": required, "--value": required, "--type": {optional: true}, "--overwrite": flag,
	}},
}

// plain is an answer that is printed as it is, whatever the output format.
type plain string

func getLoginPassword(ctx context.Context, cfg aws.Config, _ arguments) (any, error) {
	out, err := ecr.NewFromConfig(cfg).GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return nil, err
	}
	if len(out.AuthorizationData) == 0 {
		return nil, errors.New("authorization token: the response has none")
	}
	login, err := base64.StdEncoding.DecodeString(aws.ToString(out.AuthorizationData[0].AuthorizationToken))
	if err != nil {
		return nil, fmt.Errorf("authorization token: %w", err)
	}
	_, password, _ := strings.Cut(string(login), ":")
	return plain(password), nil
}

func describeImages(ctx context.Context, cfg aws.Config, given arguments) (any, error) {
	tag := strings.TrimPrefix(given.one("--image-ids"), "imageTag=")
	out, err := ecr.NewFromConfig(cfg).DescribeImages(ctx, &ecr.DescribeImagesInput{
		RepositoryName: aws.String(given.one("--repository-name")),
		ImageIds:       []ecrtypes.ImageIdentifier{{ImageTag: aws.String(tag)}},
	})
	if err != nil {
		return nil, err
	}
	return responseOf(out, lowerFirst), nil
}

func createLogStream(ctx context.Context, cfg aws.Config, given arguments) (any, error) {
	_, err := cloudwatchlogs.NewFromConfig(cfg).CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{
		LogGroupName:  aws.String(given.one("--log-group-name")),
		LogStreamName: aws.String(given.one("--log-stream-name")),
	})
	return map[string]any{}, err
}

// getObject writes the object to a file, and returns the rest of the response.
func getObject(ctx context.Context, cfg aws.Config, given arguments) (any, error) {
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.DisableLogOutputChecksumValidationSkipped = true })
	in := &s3.GetObjectInput{Bucket: aws.String(given.one("--bucket")), Key: aws.String(given.one("--key"))}
	if given.has("--version-id") {
		in.VersionId = aws.String(given.one("--version-id"))
	}
	out, err := client.GetObject(ctx, in)
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	file, err := os.Create(given.one("outfile"))
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(file, out.Body)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	out.Body = nil
	response := responseOf(out, asIs)
	response["Metadata"] = map[string]any{} // which the CLI shows if there is none
	return response, nil
}

func getSecretValue(ctx context.Context, cfg aws.Config, given arguments) (any, error) {
	in := &secretsmanager.GetSecretValueInput{SecretId: aws.String(given.one("--secret-id"))}
	if given.has("--version-id") {
		in.VersionId = aws.String(given.one("--version-id"))
	}
	if given.has("--version-stage") {
		in.VersionStage = aws.String(given.one("--version-stage"))
	}
	out, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, in)
	if err != nil {
		return nil, err
	}
	return responseOf(out, asIs), nil
}

func getParameters(ctx context.Context, cfg aws.Config, given arguments) (any, error) {
	out, err := ssm.NewFromConfig(cfg).GetParameters(ctx, &ssm.GetParametersInput{
		Names: given["--names"], WithDecryption: aws.Bool(given.has("--with-decryption")),
	})
	if err != nil {
		return nil, err
	}
	return responseOf(out, asIs), nil
}

func putParameter(ctx context.Context, cfg aws.Config, given arguments) (any, error) {
	out, err := ssm.NewFromConfig(cfg).PutParameter(ctx, &ssm.PutParameterInput{
		Name: aws.String(given.one("--name")), Value: aws.String(given.one("--value")),
		Type: ssmtypes.ParameterType(given.one("--type")), Overwrite: aws.Bool(given.has("--overwrite")),
	})
	if err != nil {
		return nil, err
	}
	return responseOf(out, asIs), nil
}
