package operations

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// The documents of AWS with which a session is one command (Systems Manager User Guide, "Start a session").
const (
	interactiveDocument    = "AWS-StartInteractiveCommand"
	nonInteractiveDocument = "AWS-StartNonInteractiveCommand"
)

// sessionRemedies are for the errors of Session Manager (Systems Manager API reference, StartSession).
var sessionRemedies = remedies{
	"TargetNotConnected": "The host is off, or its SSM agent does not reach AWS. To do: look at the instance in the console of EC2; a new host " +
		"needs some minutes. Check that the credentials are for the stack's account, too.",
	"InvalidDocument": "To do: check that REGION has Session Manager.",
}

// Session is a session with a host, in which one command runs. It begins when Session Manager's plugin connects to it.
type Session struct {
	// ID is Session Manager's.
	ID string
	// Host is the ID of the instance.
	Host string

	stack     Stack
	client    *ssm.Client
	endpoint  string
	input     *ssm.StartSessionInput
	streamURL string
	token     string
}

// StartSession starts a session on the stack's host in which a command runs in a container.
func (s Stack) StartSession(ctx context.Context, command ContainerCommand) (*Session, error) {
	remote, err := command.remote()
	if err != nil {
		return nil, err
	}
	return s.startSession(ctx, remote, command.Terminal)
}

// startSession starts a session on the stack's host in which a command of the host's shell runs.
func (s Stack) startSession(ctx context.Context, remote string, terminal bool) (*Session, error) {
	settings, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	client := ssm.NewFromConfig(settings)
	endpoint, err := endpointOf(ctx, client)
	if err != nil {
		return nil, err
	}
	host, err := s.host(ctx, client)
	if err != nil {
		return nil, err
	}
	input := &ssm.StartSessionInput{Target: aws.String(host), DocumentName: aws.String(interactiveDocument), Parameters: map[string][]string{"command": {remote}}}
	if !terminal {
		// Without it, both streams come at the end, as one, and without the exit code.
		input.DocumentName, input.Parameters["separateOutputStream"] = aws.String(nonInteractiveDocument), []string{"true"}
	}
	started, err := client.StartSession(ctx, input)
	if err != nil {
		return nil, s.explain(ctx, "session on host "+host, err, sessionRemedies)
	}
	return &Session{
		ID: aws.ToString(started.SessionId), Host: host, stack: s, client: client, endpoint: endpoint, input: input,
		streamURL: aws.ToString(started.StreamUrl), token: aws.ToString(started.TokenValue),
	}, nil
}

// host returns the ID of the instance that the stack's releases go to, if Systems Manager reaches it.
func (s Stack) host(ctx context.Context, client *ssm.Client) (string, error) {
	tagged := types.InstanceInformationStringFilter{Key: aws.String("tag:" + hostTag), Values: []string{s.Project + "-" + s.Name}}
	pages := ssm.NewDescribeInstanceInformationPaginator(client, &ssm.DescribeInstanceInformationInput{Filters: []types.InstanceInformationStringFilter{tagged}})
	lost := ""
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", s.explain(ctx, "hosts of stack "+s.Name, err, sessionRemedies)
		}
		for _, host := range page.InstanceInformationList {
			if host.PingStatus == types.PingStatusOnline {
				return aws.ToString(host.InstanceId), nil
			}
			lost = fmt.Sprintf("host %s does not answer Systems Manager: %s since %s", aws.ToString(host.InstanceId), host.PingStatus,
				aws.ToTime(host.LastPingDateTime).UTC().Format(time.RFC3339))
		}
	}
	if lost != "" {
		return "", fmt.Errorf("%s\nTo do: look at the instance in the console of EC2, and at its system log", lost)
	}
	return "", fmt.Errorf("no running host of stack %q is known to Systems Manager in %s\n"+
		"To do: create it with `cicd up`; a new host needs some minutes. Check that the credentials are for the stack's account, too", s.Name, s.Region)
}

// endpointOf returns the URL of a client's service.
func endpointOf(ctx context.Context, client *ssm.Client) (string, error) {
	options := client.Options()
	endpoint, err := options.EndpointResolverV2.ResolveEndpoint(ctx, ssm.EndpointParameters{Region: aws.String(options.Region), Endpoint: options.BaseEndpoint})
	if err != nil {
		return "", fmt.Errorf("endpoint of Systems Manager: %w", err)
	}
	return endpoint.URI.String(), nil
}

// responseVariable is the environment variable in which the plugin finds the answer to StartSession, in which others on
// this machine cannot read the token, as they could an argument.
const responseVariable = "AWS_SSM_START_SESSION_RESPONSE"

// PluginArguments returns the arguments of Session Manager's plugin, and the variable that it needs in addition. They are
// those that the AWS CLI passes (aws-cli, awscli/customizations/sessionmanager.py). The plugin finds credentials by itself,
// where this program does.
func (s *Session) PluginArguments() (arguments []string, variable string, err error) {
	answer, err := json.Marshal(map[string]string{"SessionId": s.ID, "TokenValue": s.token, "StreamUrl": s.streamURL})
	if err != nil {
		return nil, "", err
	}
	request, err := json.Marshal(map[string]any{"Target": s.Host, "DocumentName": *s.input.DocumentName, "Parameters": s.input.Parameters})
	if err != nil {
		return nil, "", err
	}
	const profile = "" // that of the environment
	return []string{responseVariable, s.stack.Region, "StartSession", profile, string(request), s.endpoint}, responseVariable + "=" + string(answer), nil
}

// terminateLimit is how long ending a session may take.
const terminateLimit = 10 * time.Second

// Terminate ends the session, also if ctx has ended. One that nobody ends goes on until it has been idle for long.
func (s *Session) Terminate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), terminateLimit)
	defer cancel()
	_, err := s.client.TerminateSession(ctx, &ssm.TerminateSessionInput{SessionId: aws.String(s.ID)})
	return s.stack.explain(ctx, "session "+s.ID, err, sessionRemedies)
}
