package api

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdkecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/cloudwatchlogs"
	"cicd/rehearsal/aws/ec2"
	"cicd/rehearsal/aws/ecr"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/s3"
	"cicd/rehearsal/aws/secretsmanager"
	"cicd/rehearsal/aws/servicequotas"
	"cicd/rehearsal/aws/sessionmanager"
	"cicd/rehearsal/aws/ssm"
	"cicd/rehearsal/aws/tagging"
)

const (
	region  = "eu-central-1"
	roleARN = "arn:aws:iam::123456789012:role/ci/build"
)

// fixture is an API endpoint and a registry, in an account with the repository web and a role that may use it.
type fixture struct {
	account   *account.Account
	authority *iam.Authority
	api       string
	registry  *ecr.Registry
	host      string      // of the registry
	session   iam.Session // of the role
	allow     func(action string) error
	live      bool

	parameters *ssm.Store
	secrets    *secretsmanager.Store
	logs       *cloudwatchlogs.Service
	objects    *s3.Store
	instances  *ec2.Service
	quotas     *servicequotas.Service
	hosts      *sessionmanager.Service
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	acct := account.New("123456789012")
	acct.SetRegion(region)
	put(acct, account.Repository, "web", map[string]any{"name": "web", "imageTagMutability": "IMMUTABLE",
		"arn": "arn:aws:ecr:eu-central-1:123456789012:repository/web"})
	put(acct, account.Role, "build", map[string]any{"name": "build", "path": "/ci/", "arn": roleARN, "assumeRolePolicy": trust("codebuild.amazonaws.com")})
	f := &fixture{account: acct, authority: iam.NewAuthority(acct), live: true, allow: func(string) error { return nil }}
	authorize := func(_ iam.Session, action string, _ ...string) error { return f.allow(action) }
	f.registry = ecr.New(ecr.Config{Account: acct, Authorize: authorize, Dir: t.TempDir()})
	registry := serve(t, f.registry)
	f.host = strings.TrimPrefix(registry, "http://")
	sessions := func(id string) (iam.Session, bool) {
		s, ok := f.authority.SessionFor(id)
		return s, ok && f.live
	}
	f.parameters, f.secrets = ssm.New(acct, f.authority), secretsmanager.New(acct, f.authority)
	f.logs, f.objects = cloudwatchlogs.New(acct, f.authority), s3.NewStore(t.TempDir(), acct, f.authority)
	f.instances = &ec2.Service{Account: acct, Authority: f.authority}
	f.quotas = &servicequotas.Service{Account: acct, Authority: f.authority}
	f.hosts = &sessionmanager.Service{Account: acct, Authority: f.authority}
	f.api = serve(t, New(Config{Account: acct, Sessions: sessions, Authorize: authorize, Registry: f.registry, RegistryURL: registry,
		Parameters: f.parameters, Secrets: f.secrets, Logs: f.logs, Objects: f.objects, Instances: f.instances, Quotas: f.quotas,
		Hosts: f.hosts, Tags: &tagging.Service{Account: acct, Authority: f.authority}}))
	session, err := f.authority.AssumeRole(roleARN, "codebuild.amazonaws.com", "AWSCodeBuild-1", "")
	if err != nil {
		t.Fatal(err)
	}
	f.session = session
	return f
}

func put(acct *account.Account, token, id string, properties map[string]any) {
	acct.Put(account.Resource{Type: token, Name: id, URN: token + "::" + id, ID: id, Properties: properties})
}

func trust(service string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`
}

func serve(t *testing.T, h http.Handler) (url string) {
	t.Helper()
	server, err := Serve(h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server.URL
}

// config is a client's configuration with the session's credentials, changed by the test.
func (f *fixture) config(change func(*aws.Config, *iam.Credentials)) aws.Config {
	c := f.session.Credentials
	cfg := aws.Config{Region: region, BaseEndpoint: aws.String(f.api), RetryMaxAttempts: 1}
	if change != nil {
		change(&cfg, &c)
	}
	cfg.Credentials = credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
	return cfg
}

func TestLoginPushDescribe(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	client := sdkecr.NewFromConfig(f.config(nil))
	token, err := client.GetAuthorizationToken(ctx, &sdkecr.GetAuthorizationTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	data := token.AuthorizationData[0]
	if got, want := aws.ToString(data.ProxyEndpoint), "http://"+f.host; got != want {
		t.Errorf("proxy endpoint %s, want %s", got, want)
	}
	if left := time.Until(aws.ToTime(data.ExpiresAt)); left < 11*time.Hour || left > 12*time.Hour {
		t.Errorf("token expires in %s, want 12 h", left)
	}
	login, err := base64.StdEncoding.DecodeString(aws.ToString(data.AuthorizationToken))
	if err != nil {
		t.Fatal(err)
	}
	user, password, _ := strings.Cut(string(login), ":")
	image, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(f.host + "/web:v1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, image, remote.WithAuth(&authn.Basic{Username: user, Password: password})); err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}

	described, err := client.DescribeImages(ctx, &sdkecr.DescribeImagesInput{RepositoryName: aws.String("web"), RegistryId: aws.String("123456789012"),
		ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1")}}})
	if err != nil {
		t.Fatal(err)
	}
	detail := described.ImageDetails[0]
	if aws.ToString(detail.ImageDigest) != digest.String() || detail.ImageTags[0] != "v1" || aws.ToInt64(detail.ImageSizeInBytes) < 100 ||
		time.Since(aws.ToTime(detail.ImagePushedAt)) > time.Minute {
		t.Errorf("described %+v, want %s with tag v1, pushed now", detail, digest)
	}
	got, err := client.BatchGetImage(ctx, &sdkecr.BatchGetImageInput{RepositoryName: aws.String("web"),
		ImageIds: []types.ImageIdentifier{{ImageTag: aws.String("v1")}, {ImageTag: aws.String("v2")}}})
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := image.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Images) != 1 || aws.ToString(got.Images[0].ImageManifest) != string(manifest) {
		t.Errorf("got images %+v, want the manifest as pushed", got.Images)
	}
	if len(got.Failures) != 1 || got.Failures[0].FailureCode != types.ImageFailureCodeImageNotFound {
		t.Errorf("got failures %+v, want v2 not found", got.Failures)
	}
}

func TestGetCallerIdentity(t *testing.T) {
	f := newFixture(t)
	f.allow = func(string) error { return errors.New("no permission is needed for this") }
	identity, err := sts.NewFromConfig(f.config(nil)).GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := aws.ToString(identity.Arn), "arn:aws:sts::123456789012:assumed-role/build/AWSCodeBuild-1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := aws.ToString(identity.Account); got != "123456789012" {
		t.Errorf("got account %s", got)
	}
}

func wantRefusal(t *testing.T, err error, code, message string) {
	t.Helper()
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want %s", err, code)
	}
	if refused.ErrorCode() != code || !strings.Contains(refused.ErrorMessage(), message) {
		t.Errorf("got %s: %s, want %s: %s", refused.ErrorCode(), refused.ErrorMessage(), code, message)
	}
}
