package api

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/sessionmanager"
)

// managedBy are the grants that make a host one of Systems Manager's.
const managedBy = `{"Effect":"Allow","Action":["ssm:UpdateInstanceInformation","ssmmessages:*"],"Resource":"*"}`

// hosted is a fixture with an instance whose role has the statements.
func hosted(t *testing.T, statements string) *fixture {
	t.Helper()
	f := newFixture(t)
	put(f.account, account.Instance, instanceID, map[string]any{"tags": map[string]any{"DeploymentTarget": "cicd-dev"}})
	put(f.account, account.Role, "host", map[string]any{"name": "host", "path": "/", "arn": "arn:aws:iam::123456789012:role/host",
		"assumeRolePolicy": trust("ec2.amazonaws.com")})
	put(f.account, account.RolePolicy, "host", map[string]any{"role": "host", "policy": `{"Version":"2012-10-17","Statement":[` + statements + `]}`})
	role, err := f.authority.AssumeRole("arn:aws:iam::123456789012:role/host", "ec2.amazonaws.com", instanceID, "")
	if err != nil {
		t.Fatal(err)
	}
	f.hosts.Host = func(string) (sessionmanager.Host, error) { return sessionmanager.Host{Role: role}, nil }
	f.hosts.URL = serve(t, f.hosts)
	f.grant(everything)
	return f
}

// command is a request for a session with one command.
func command(document string, parameters map[string][]string) *sdkssm.StartSessionInput {
	return &sdkssm.StartSessionInput{Target: aws.String(instanceID), DocumentName: aws.String(document), Parameters: parameters}
}

// Each action of Session Manager, with a real client.
func TestSessionManager(t *testing.T) {
	f, ctx := hosted(t, managedBy), context.Background()
	client := sdkssm.NewFromConfig(f.config(nil))
	tagged := func(value string) *sdkssm.DescribeInstanceInformationInput {
		return &sdkssm.DescribeInstanceInformationInput{Filters: []ssmtypes.InstanceInformationStringFilter{{Key: aws.String("tag:DeploymentTarget"), Values: []string{value}}}}
	}
	for value, want := range map[string]int{"cicd-dev": 1, "cicd-prod": 0} {
		known, err := client.DescribeInstanceInformation(ctx, tagged(value))
		if err != nil || len(known.InstanceInformationList) != want {
			t.Fatalf("%s: %+v, %v, want %d", value, known, err, want)
		}
		for _, host := range known.InstanceInformationList {
			if aws.ToString(host.InstanceId) != instanceID || host.PingStatus != ssmtypes.PingStatusOnline {
				t.Errorf("%+v", host)
			}
		}
	}
	_, err := client.DescribeInstanceInformation(ctx, &sdkssm.DescribeInstanceInformationInput{
		Filters: []ssmtypes.InstanceInformationStringFilter{{Key: aws.String("IamRole"), Values: []string{"x"}}}})
	wantRefusal(t, err, "InvalidFilterKey", "") // it has no message

	started, err := client.StartSession(ctx, command("AWS-StartInteractiveCommand", map[string][]string{"command": {"true"}}))
	if err != nil || !strings.HasPrefix(aws.ToString(started.SessionId), "AWSCodeBuild-1-0") || aws.ToString(started.TokenValue) == "" ||
		aws.ToString(started.StreamUrl) != f.hosts.URL+"/v1/data-channel/"+aws.ToString(started.SessionId) {
		t.Fatalf("%+v, %v", started, err)
	}
	for range 2 { // the second time, it has ended already
		if _, err := client.TerminateSession(ctx, &sdkssm.TerminateSessionInput{SessionId: started.SessionId}); err != nil {
			t.Error(err)
		}
	}
	if status, _ := get(t, aws.ToString(started.StreamUrl), "Authorization", aws.ToString(started.TokenValue)); status != 403 {
		t.Errorf("a terminated session: status %d, want 403", status)
	}
	_, err = client.TerminateSession(ctx, &sdkssm.TerminateSessionInput{SessionId: aws.String("nobody-0123456789abcdef0")})
	wantRefusal(t, err, "DoesNotExistException", "nobody-0123456789abcdef0")
}

// TestSessionRefusals: what Session Manager refuses, and why.
func TestSessionRefusals(t *testing.T) {
	const single = "AWS-StartNonInteractiveCommand"
	true1 := map[string][]string{"command": {"true"}}
	tests := []struct {
		name          string
		in            *sdkssm.StartSessionInput
		code, message string
	}{
		{"another instance", &sdkssm.StartSessionInput{Target: aws.String("i-0fedcba9876543210")}, "TargetNotConnected", "i-0fedcba9876543210 is not connected."},
		{"no document of AWS", command("AWS-StartSomething", nil), "InvalidDocument", "AWS-StartSomething"},
		{"no command", command(single, nil), "InvalidParameters", "command"},
		{"another parameter", command(single, map[string][]string{"command": {"true"}, "port": {"80"}}), "InvalidParameters", "port"},
		{"two commands", command(single, map[string][]string{"command": {"true", "false"}}), "InvalidParameters", "command"},
		{"half a command", command(single, map[string][]string{"command": {"echo 'a"}}), "InvalidParameters", "EOF"},
		{"neither true nor false", command(single, map[string][]string{"command": {"true"}, "separateOutputStream": {"yes"}}), "InvalidParameters", "separateOutputStream"},
		{"a parameter in the command", command(single, map[string][]string{"command": {"echo {{ ssm:secret }}"}}), "InvalidParameters", "{{ ssm:"},
		{"too long", command(single, map[string][]string{"command": {strings.Repeat("x", 65536)}}), "ValidationException", "65535"},
		{"no target", &sdkssm.StartSessionInput{Target: aws.String("")}, "ValidationException", "target"},
		{"the same of the right kind", command(single, true1), "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := hosted(t, managedBy)
			_, err := sdkssm.NewFromConfig(f.config(nil)).StartSession(t.Context(), tt.in)
			if tt.code == "" && err == nil {
				return
			}
			wantRefusal(t, err, tt.code, tt.message)
		})
	}
}

// TestSessionsAreDecided: by the policies of the caller, and by those of the host, without which it is no host of Systems
// Manager's.
func TestSessionsAreDecided(t *testing.T) {
	const (
		start    = `{"Effect":"Allow","Action":"ssm:StartSession","Resource":["arn:aws:ec2:eu-central-1:123456789012:instance/` + instanceID + `"`
		document = `"arn:aws:ssm:eu-central-1::document/AWS-StartInteractiveCommand"`
		tagged   = `{"Effect":"Allow","Action":"ssm:StartSession","Resource":"*","Condition":{"StringEquals":{"ssm:resourceTag/DeploymentTarget":"`
	)
	interactive := command("AWS-StartInteractiveCommand", map[string][]string{"command": {"true"}})
	shell := &sdkssm.StartSessionInput{Target: aws.String(instanceID)}
	tests := []struct {
		name, host, caller string
		in                 *sdkssm.StartSessionInput
		code               string
	}{
		{"instance and document", managedBy, start + `,` + document + `]}`, interactive, ""},
		{"instance alone", managedBy, start + `]}`, interactive, "AccessDeniedException"},
		{"a shell needs no document", managedBy, start + `]}`, shell, ""},
		{"document alone", managedBy, `{"Effect":"Allow","Action":"ssm:StartSession","Resource":` + document + `}`, interactive, "AccessDeniedException"},
		{"its tag", managedBy, tagged + `cicd-dev"}}}`, shell, ""},
		{"another tag", managedBy, tagged + `cicd-prod"}}}`, shell, "AccessDeniedException"},
		{"a host that may not register", `{"Effect":"Allow","Action":"ssmmessages:*","Resource":"*"}`, everything, shell, "TargetNotConnected"},
		{"a host that may not open channels", `{"Effect":"Allow","Action":"ssm:*","Resource":"*"}`, everything, shell, "TargetNotConnected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := hosted(t, tt.host)
			f.grant(tt.caller)
			_, err := sdkssm.NewFromConfig(f.config(nil)).StartSession(t.Context(), tt.in)
			if tt.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantRefusal(t, err, tt.code, "")
		})
	}
	f := hosted(t, managedBy)
	f.grant(start + `]}`)
	client := sdkssm.NewFromConfig(f.config(nil))
	_, terminate := client.TerminateSession(t.Context(), &sdkssm.TerminateSessionInput{SessionId: aws.String("jane-0123456789abcdef0")})
	_, describe := client.DescribeInstanceInformation(t.Context(), nil)
	wantRefusal(t, terminate, "AccessDeniedException", "ssm:TerminateSession on resource: arn:aws:ssm:eu-central-1:123456789012:session/jane-0123456789abcdef0")
	wantRefusal(t, describe, "AccessDeniedException", "ssm:DescribeInstanceInformation on resource: *")
	f.hosts.Host = func(string) (sessionmanager.Host, error) { return sessionmanager.Host{}, errors.New("off") }
	_, err := client.StartSession(t.Context(), shell)
	wantRefusal(t, err, "TargetNotConnected", instanceID)
}
