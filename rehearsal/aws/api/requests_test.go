package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"cicd/rehearsal/aws/iam"
)

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
