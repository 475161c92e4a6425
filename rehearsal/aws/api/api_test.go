package api

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
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
	"cicd/rehearsal/aws/ecr"
	"cicd/rehearsal/aws/iam"
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
	f.api = serve(t, New(Config{Account: acct, Sessions: sessions, Authorize: authorize, Registry: f.registry, RegistryURL: registry}))
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

// Both protocols reject the same requests, each in its own words.
func TestUnauthenticatedRequests(t *testing.T) {
	tests := []struct {
		name            string
		change          func(*aws.Config, *iam.Credentials)
		dead            bool
		wantECR, wantID string
		wantMessage     string
	}{
		{"wrong secret", func(_ *aws.Config, c *iam.Credentials) { c.SecretAccessKey += "x" }, false,
			"InvalidSignatureException", "SignatureDoesNotMatch", "The request signature we calculated does not match"},
		{"unknown key", func(_ *aws.Config, c *iam.Credentials) { c.AccessKeyID = "ASIAUNKNOWN" }, false,
			"UnrecognizedClientException", "InvalidClientTokenId", "The security token included in the request is invalid."},
		{"other session's token", func(_ *aws.Config, c *iam.Credentials) { c.SessionToken += "x" }, false,
			"UnrecognizedClientException", "InvalidClientTokenId", "The security token included in the request is invalid."},
		{"no session token", func(_ *aws.Config, c *iam.Credentials) { c.SessionToken = "" }, false,
			"UnrecognizedClientException", "InvalidClientTokenId", "The security token included in the request is invalid."},
		{"expired session", nil, true,
			"ExpiredTokenException", "ExpiredToken", "The security token included in the request is expired"},
		{"wrong region", func(c *aws.Config, _ *iam.Credentials) { c.Region = "us-east-1" }, false,
			"InvalidSignatureException", "SignatureDoesNotMatch", "not 'us-east-1'. The stack's region is 'eu-central-1'."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, ctx := newFixture(t), context.Background()
			f.live = !tt.dead
			_, err := sdkecr.NewFromConfig(f.config(tt.change)).GetAuthorizationToken(ctx, nil)
			wantRefusal(t, err, tt.wantECR, tt.wantMessage)
			_, err = sts.NewFromConfig(f.config(tt.change)).GetCallerIdentity(ctx, nil)
			wantRefusal(t, err, tt.wantID, tt.wantMessage)
		})
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

func TestRefusedRequests(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	client := sdkecr.NewFromConfig(f.config(nil))
	describe := func(change func(*sdkecr.DescribeImagesInput)) error {
		in := &sdkecr.DescribeImagesInput{RepositoryName: aws.String("web")}
		change(in)
		_, err := client.DescribeImages(ctx, in)
		return err
	}
	tests := []struct {
		name, denied  string
		call          func() error
		code, message string
	}{
		{"undeclared repository", "", func() error {
			return describe(func(in *sdkecr.DescribeImagesInput) { in.RepositoryName = aws.String("nowhere") })
		}, "RepositoryNotFoundException", "The repository with name 'nowhere' does not exist in the registry with id '123456789012'"},
		{"other registry", "", func() error {
			return describe(func(in *sdkecr.DescribeImagesInput) { in.RegistryId = aws.String("210987654321") })
		}, "RepositoryNotFoundException", "in the registry with id '210987654321'"},
		{"unknown image", "", func() error {
			return describe(func(in *sdkecr.DescribeImagesInput) {
				in.ImageIds = []types.ImageIdentifier{{ImageTag: aws.String("v9")}}
			})
		}, "ImageNotFoundException", "The image with imageId {imageDigest:'null', imageTag:'v9'} does not exist within the repository with name 'web'"},
		{"parameter that is not served", "", func() error {
			return describe(func(in *sdkecr.DescribeImagesInput) { in.MaxResults = aws.Int32(5) })
		}, "InvalidParameterException", `unknown field "maxResults"`},
		{"no permission to log in", "ecr:GetAuthorizationToken", func() error {
			_, err := client.GetAuthorizationToken(ctx, nil)
			return err
		}, "AccessDeniedException", "is not authorized to perform: ecr:GetAuthorizationToken"},
		{"no permission to describe", "ecr:DescribeImages", func() error {
			return describe(func(*sdkecr.DescribeImagesInput) {})
		}, "AccessDeniedException", "is not authorized to perform: ecr:DescribeImages"},
		{"ECR action that is not served", "", func() error {
			_, err := client.DescribeRegistry(ctx, nil)
			return err
		}, "UnknownOperationException", "does not serve AmazonEC2ContainerRegistry_V20150921.DescribeRegistry"},
		{"STS action that is not served", "", func() error {
			_, err := sts.NewFromConfig(f.config(nil)).GetSessionToken(ctx, nil)
			return err
		}, "InvalidAction", "does not serve sts.GetSessionToken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.allow = func(action string) error {
				if action == tt.denied {
					return errors.New("User: x is not authorized to perform: " + action)
				}
				return nil
			}
			wantRefusal(t, tt.call(), tt.code, tt.message)
		})
	}
}

// A script that calls another service learns from the error that this is not AWS.
func TestServiceThatIsNotServed(t *testing.T) {
	f := newFixture(t)
	_, body := get(t, f.api+"/artifacts", "Authorization",
		"AWS4-HMAC-SHA256 Credential=ASIA/20250101/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=00")
	if want := "the rehearsal does not serve s3: GET /artifacts"; !strings.Contains(body, want) {
		t.Errorf("got %s, want %s", body, want)
	}
}

// Requests as no SDK would send them.
func TestMalformedSignatures(t *testing.T) {
	f := newFixture(t)
	date := time.Now().UTC()
	header := func(scope, headers string) string {
		return "AWS4-HMAC-SHA256 Credential=" + f.session.Credentials.AccessKeyID + "/" + scope + ", SignedHeaders=" + headers + ", Signature=00"
	}
	scope := date.Format("20060102") + "/" + region + "/ecr/aws4_request"
	tests := []struct {
		name, authorization string
		date                time.Time
		want                string
	}{
		{"none", "", date, `{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}`},
		{"basic", "Basic eDp5", date, `Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter.`},
		{"short scope", header("20250101/eu-central-1", "host"), date, "Credential must have exactly 5 slash-delimited elements"},
		{"host not signed", header(scope, "x-amz-date"), date, "'Host' must be a 'SignedHeader'"},
		{"another day's scope", header("20250101/"+region+"/ecr/aws4_request", "host"), date, "Date in Credential scope does not match"},
		{"old", header(date.Add(-time.Hour).Format("20060102")+"/"+region+"/ecr/aws4_request", "host"), date.Add(-time.Hour), "Signature expired"},
		{"from the future", header(date.Add(time.Hour).Format("20060102")+"/"+region+"/ecr/aws4_request", "host"), date.Add(time.Hour), "Signature not yet current"},
	}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", f.api+"/", strings.NewReader("{}"))
			r.RequestURI = ""
			r.Header.Set("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken")
			r.Header.Set("X-Amz-Date", tt.date.Format(timeFormat))
			if tt.authorization != "" {
				r.Header.Set("Authorization", tt.authorization)
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), tt.want) {
				t.Errorf("got %d %s, want 400 %s", answer.StatusCode, body, tt.want)
			}
			if got := answer.Header.Get("Content-Type"); got != "application/x-amz-json-1.1" {
				t.Errorf("content type %q", got)
			}
			if id := answer.Header.Get("x-amzn-RequestId"); !uuid.MatchString(id) {
				t.Errorf("request id %q is no UUID", id)
			}
		})
	}
}
