package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

const instanceID = "i-0123456789abcdef0"

// newHost declares an instance with a profile and a role, changed by the test, and serves its metadata.
func newHost(t *testing.T, acct *account.Account, authority *iam.Authority, change func(properties map[string]any)) (url string) {
	t.Helper()
	properties := map[string]any{
		"ami": "ami-1", "availabilityZone": "eu-central-1a", "iamInstanceProfile": "web", "instanceType": "t3.micro",
		"privateIp": "10.0.0.4", "publicIp": "198.51.100.1",
		"metadataOptions": map[string]any{"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
	}
	if change != nil {
		change(properties)
	}
	put(acct, account.Instance, instanceID, properties)
	put(acct, account.InstanceProfile, "web", map[string]any{"name": "web", "role": "host"})
	put(acct, account.Role, "host", map[string]any{"name": "host", "path": "/", "arn": "arn:aws:iam::123456789012:role/host",
		"assumeRolePolicy": trust("ec2.amazonaws.com")})
	return serve(t, NewIMDS(acct, authority, instanceID))
}

// cleanEnvironment unsets what an SDK could read, except what the test sets.
func cleanEnvironment(t *testing.T, set map[string]string) {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_EC2_METADATA_SERVICE_ENDPOINT"} {
		t.Setenv(name, set[name])
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_REGION", region)
}

// The whole chain, as for a hook on a host: metadata, role credentials, a signed call.
func TestHostCredentials(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	cleanEnvironment(t, map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": newHost(t, f.account, f.authority, nil)})
	cfg, err := config.LoadDefaultConfig(ctx, config.WithBaseEndpoint(f.api))
	if err != nil {
		t.Fatal(err)
	}
	identity, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := aws.ToString(identity.Arn), "arn:aws:sts::123456789012:assumed-role/host/"+instanceID; got != want {
		t.Errorf("the host is %s, want %s", got, want)
	}
}

// The same for a build.
func TestContainerCredentials(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	var endpoint ContainerCredentials
	url := serve(t, &endpoint)
	path := endpoint.Add(f.session)
	cleanEnvironment(t, map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": url + path})
	cfg, err := config.LoadDefaultConfig(ctx, config.WithBaseEndpoint(f.api))
	if err != nil {
		t.Fatal(err)
	}
	identity, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := aws.ToString(identity.Arn), "arn:aws:sts::123456789012:assumed-role/build/AWSCodeBuild-1"; got != want {
		t.Errorf("the build is %s, want %s", got, want)
	}
	if status, _ := get(t, url+path+"x"); status != http.StatusBadRequest {
		t.Errorf("credentials of no build: status %d, want 400", status)
	}
}

func TestMetadataSDK(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	client := imds.New(imds.Options{Endpoint: newHost(t, f.account, f.authority, nil)})
	document, err := client.GetInstanceIdentityDocument(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if document.Region != region || document.InstanceID != instanceID || document.AccountID != "123456789012" || document.PrivateIP != "10.0.0.4" {
		t.Errorf("identity document %+v", document.InstanceIdentityDocument)
	}
	tests := map[string]string{
		"instance-id":                 instanceID,
		"local-ipv4":                  "10.0.0.4",
		"public-ipv4":                 "198.51.100.1",
		"placement/region":            region,
		"placement/availability-zone": "eu-central-1a",
		"iam/security-credentials/":   "host",
	}
	for path, want := range tests {
		answer, err := client.GetMetadata(ctx, &imds.GetMetadataInput{Path: path})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		got, err := io.ReadAll(answer.Content)
		if err != nil || string(got) != want {
			t.Errorf("%s = %q, %v, want %q", path, got, err, want)
		}
	}
	put(f.account, account.EIPAssociation, "a", map[string]any{"instanceId": instanceID, "publicIp": "203.0.113.9"})
	answer, err := client.GetMetadata(ctx, &imds.GetMetadataInput{Path: "public-ipv4"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(answer.Content); err != nil || string(got) != "203.0.113.9" {
		t.Errorf("public-ipv4 with an Elastic IP = %q, %v", got, err)
	}
}

func get(t *testing.T, url string, header ...string) (status int, body string) {
	return send(t, http.MethodGet, url, header...)
}

func send(t *testing.T, method, url string, header ...string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestMetadataToken(t *testing.T) {
	f := newFixture(t)
	url := newHost(t, f.account, f.authority, nil) + "/latest/api/token"
	tests := []struct {
		name   string
		header []string
		want   int
	}{
		{"no time to live", nil, 400},
		{"no number", []string{tokenTTLHeader, "soon"}, 400},
		{"too short", []string{tokenTTLHeader, "0"}, 400},
		{"shortest", []string{tokenTTLHeader, "1"}, 200},
		{"longest", []string{tokenTTLHeader, "21600"}, 200},
		{"too long", []string{tokenTTLHeader, "21601"}, 400},
		{"through a proxy", []string{tokenTTLHeader, "60", "X-Forwarded-For", "10.0.0.9"}, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if status, body := send(t, http.MethodPut, url, tt.header...); status != tt.want {
				t.Errorf("got %d %s, want %d", status, body, tt.want)
			}
		})
	}
}

func TestMetadataKeepsToTheDeclaration(t *testing.T) {
	options := func(endpoint, tokens string) func(map[string]any) {
		return func(p map[string]any) {
			p["metadataOptions"] = map[string]any{"httpEndpoint": endpoint, "httpTokens": tokens}
		}
	}
	const id, credentials = "/latest/meta-data/instance-id", "/latest/meta-data/iam/security-credentials/"
	tests := []struct {
		name   string
		change func(map[string]any)
		token  bool
		path   string
		want   int
	}{
		{"token required, none sent", options("enabled", "required"), false, id, 401},
		{"token required and sent", options("enabled", "required"), true, id, 200},
		{"token optional, none sent", options("enabled", "optional"), false, id, 200},
		{"nothing declared, no token", func(p map[string]any) { delete(p, "metadataOptions") }, false, id, 200},
		{"endpoint disabled", options("disabled", "required"), false, id, 403},
		{"profile", nil, true, credentials + "host", 200},
		{"another role than the profile's", nil, true, credentials + "build", 404},
		{"no profile", func(p map[string]any) { delete(p, "iamInstanceProfile") }, true, credentials, 404},
		{"undeclared profile", func(p map[string]any) { p["iamInstanceProfile"] = "gone" }, true, credentials + "host", 404},
		{"no public address", func(p map[string]any) { delete(p, "publicIp") }, true, "/latest/meta-data/public-ipv4", 404},
		{"unknown path", nil, true, "/latest/meta-data/mac", 404},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			url := newHost(t, f.account, f.authority, tt.change)
			var header []string
			if tt.token {
				_, token := send(t, http.MethodPut, url+"/latest/api/token", tokenTTLHeader, "60")
				header = []string{tokenHeader, token}
			}
			if status, body := get(t, url+tt.path, header...); status != tt.want {
				t.Errorf("got %d %s, want %d", status, body, tt.want)
			}
		})
	}
}

func TestMetadataWrongToken(t *testing.T) {
	f := newFixture(t)
	url := newHost(t, f.account, f.authority, func(p map[string]any) { delete(p, "metadataOptions") })
	if status, _ := get(t, url+"/latest/meta-data/instance-id", tokenHeader, "made-up"); status != http.StatusUnauthorized {
		t.Errorf("made up token: status %d, want 401", status)
	}
}

// A role that EC2 may not assume is reported in the response, as in EC2.
func TestMetadataRoleThatTrustsSomeoneElse(t *testing.T) {
	f := newFixture(t)
	url := newHost(t, f.account, f.authority, nil)
	put(f.account, account.Role, "host", map[string]any{"name": "host", "path": "/", "arn": "arn:aws:iam::123456789012:role/host",
		"assumeRolePolicy": trust("lambda.amazonaws.com")})
	_, token := send(t, http.MethodPut, url+"/latest/api/token", tokenTTLHeader, "60")
	status, body := get(t, url+"/latest/meta-data/iam/security-credentials/host", tokenHeader, token)
	if status != http.StatusOK || !strings.Contains(body, `"Code": "AssumeRoleUnauthorizedAccess"`) {
		t.Errorf("got %d %s, want AssumeRoleUnauthorizedAccess", status, fmt.Sprint(body))
	}
}
