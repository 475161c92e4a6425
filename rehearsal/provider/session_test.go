package provider

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

func TestProviderConfiguration(t *testing.T) {
	const secret = `{"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "token"}`
	tests := []struct{ name, plugin, inputs, want string }{
		{"region", "aws", `{"region": "eu-central-1"}`, ""},
		{"default tags", "aws", `{"region": "us-gov-west-1", "defaultTags": {"tags": {"Stack": "dev"}}}`, ""},
		{"no region", "aws", `{}`, `missing required property "region"`},
		{"no such region", "aws", `{"region": "eu-center-1"}`, "invalid AWS Region: eu-center-1"},
		{"unknown property", "aws", `{"region": "eu-central-1", "accessKey": "AKIA"}`, "accessKey: unknown property"},
		{"reserved default tag", "aws", `{"region": "eu-central-1", "defaultTags": {"tags": {"aws:x": "y"}}}`, "not starting with aws:"},
		{"secret token", "github", `{"owner": "example", "token": ` + secret + `}`, ""},
		{"unknown property of github", "github", `{"organization": "example"}`, "organization: unknown property"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			inputs := &structpb.Struct{}
			if err := inputs.UnmarshalJSON([]byte(tt.inputs)); err != nil {
				t.Fatal(err)
			}
			e := &endpoint{Server: w.Server, name: tt.plugin}
			_, err := e.Configure(w.ctx, &pulumirpc.ConfigureRequest{Args: inputs})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("configure: error = %v, want one containing %q", err, tt.want)
			}
			response, err := e.CheckConfig(w.ctx, &pulumirpc.CheckRequest{News: inputs})
			if err != nil || (len(response.Failures) == 0) != (tt.want == "") {
				t.Errorf("check: %v, %v", response.GetFailures(), err)
			}
		})
	}
}

// Two providers in a program each have their own connection and so their own configuration; but a rehearsal has one region.
func TestProvidersOfTwoRegions(t *testing.T) {
	w := newWorld(t)
	configure := func(region string) {
		t.Helper()
		w.ctx = context.WithValue(t.Context(), sessionKey{}, &session{})
		args, _ := toWire(values{"region": region})
		if _, err := w.Configure(w.ctx, &pulumirpc.ConfigureRequest{Args: args}); err != nil {
			t.Fatal(err)
		}
	}
	configure("eu-central-1")
	if _, err := w.declare(account.VPC, "vpc", values{"cidrBlock": "10.0.0.0/16"}); err != nil {
		t.Fatal(err)
	}
	configure("eu-west-1")
	if _, err := w.declare(account.VPC, "other", values{"cidrBlock": "10.1.0.0/16"}); err == nil || !strings.Contains(err.Error(), "one rehearsal has one region") {
		t.Errorf("error = %v, want one about the region", err)
	}
}

func TestExistingConnection(t *testing.T) {
	const arn = "arn:aws:codeconnections:us-east-1:123456789012:connection/from-before"
	w := newWorld(t)
	w.declareUntil("pipeline")
	w.options.ExistingConnections = []string{arn}
	e := exampleNamed(t, "pipeline")
	out, err := w.declare(e.token, e.name, with(t, w.inputs(e), "stages.0.actions.0.configuration.ConnectionArn", arn))
	if err != nil || out[WebhookRegistered] != true {
		t.Errorf("pipeline of a connection from before the stack: %v, webhook = %v", err, out[WebhookRegistered])
	}
}

func TestStartWantsItsOptions(t *testing.T) {
	acct := account.New("123456789012")
	if _, err := Start(t.Context(), Options{Account: acct, Authority: iam.NewAuthority(acct)}); err == nil {
		t.Error("started without a registry and a store")
	}
}
