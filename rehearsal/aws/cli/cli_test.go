package cli

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/api"
	"cicd/rehearsal/aws/cloudwatchlogs"
	"cicd/rehearsal/aws/ecr"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/s3"
	"cicd/rehearsal/aws/secretsmanager"
	"cicd/rehearsal/aws/ssm"
)

const roleARN = "arn:aws:iam::123456789012:role/build"

// fixture is an account whose repository web has one image, tagged v1, whose bucket artifacts has one object, and whose
// log group has no stream. Its role build may log in and describe the image, has parameters below /cicd/dev, and may
// read secrets and the object.
type fixture struct {
	env      map[string]string // of a build
	metadata string            // address of the metadata service of a host with the same role
	host     string            // of the registry
	digest   string

	parameters *ssm.Store
	secrets    *secretsmanager.Store
	logs       *cloudwatchlogs.Service
	session    iam.Session
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	acct := account.New("123456789012")
	acct.SetRegion("eu-central-1")
	put := func(token, id string, properties map[string]any) {
		acct.Put(account.Resource{Type: token, Name: id, URN: "urn:pulumi:dev::cicd::" + token + "::" + id, ID: id, Properties: properties})
	}
	for _, repository := range []string{"web", "secret"} {
		put(account.Repository, repository, map[string]any{"name": repository, "imageTagMutability": "IMMUTABLE",
			"arn": "arn:aws:ecr:eu-central-1:123456789012:repository/" + repository})
	}
	put(account.Role, "build", map[string]any{"name": "build", "path": "/", "arn": roleARN, "assumeRolePolicy": `{"Version":"2012-10-17",
		"Statement":[{"Effect":"Allow","Principal":{"Service":["codebuild.amazonaws.com","ec2.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`})
	put(account.InstanceProfile, "host", map[string]any{"name": "host", "role": "build"})
	put(account.Instance, "i-1", map[string]any{"iamInstanceProfile": "host",
		"metadataOptions": map[string]any{"httpEndpoint": "enabled", "httpTokens": "required"}})
	put(account.RolePolicy, "build", map[string]any{"name": "build", "role": "build", "policy": `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"},
		{"Effect":"Allow","Action":"ecr:DescribeImages","Resource":"arn:aws:ecr:eu-central-1:123456789012:repository/web"},
		{"Effect":"Allow","Action":"ssm:*","Resource":"arn:aws:ssm:eu-central-1:123456789012:parameter/cicd/dev/*"},
		{"Effect":"Allow","Action":["secretsmanager:GetSecretValue","kms:Decrypt"],"Resource":"*"},
		{"Effect":"Allow","Action":"logs:CreateLogStream","Resource":"*"},
		{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:ListBucket"],"Resource":"*"}]}`})
	put(account.LogGroup, "logs", map[string]any{"name": "/cicd/dev"})
	put(account.Bucket, "artifacts", map[string]any{"bucket": "artifacts", "arn": "arn:aws:s3:::artifacts"})
	authority := iam.NewAuthority(acct)
	session, err := authority.AssumeRole(roleARN, "codebuild.amazonaws.com", "AWSCodeBuild-1", "")
	if err != nil {
		t.Fatal(err)
	}

	// The image is pushed without IAM: the role may not push.
	dir := t.TempDir()
	registry := ecr.New(ecr.Config{Account: acct, Dir: dir, Authorize: func(iam.Session, string, ...string) error { return nil }})
	registryURL := serve(t, registry)
	f := fixture{host: strings.TrimPrefix(registryURL, "http://"), parameters: ssm.New(acct, authority),
		secrets: secretsmanager.New(acct, authority), logs: cloudwatchlogs.New(acct, authority), session: session}
	f.digest = f.push(t, registry)
	objects := s3.NewStore(t.TempDir(), acct, authority)
	if _, err := objects.Put(session, "artifacts", "_stack/settings.env", strings.NewReader("STACK=dev\n")); err != nil {
		t.Fatal(err)
	}

	f.metadata = serve(t, api.NewIMDS(acct, authority, "i-1"))
	var endpoint api.ContainerCredentials
	f.env = map[string]string{
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": serve(t, &endpoint) + endpoint.Add(session),
		"AWS_ENDPOINT_URL": serve(t, api.New(api.Config{Account: acct, Sessions: authority.SessionFor, Authorize: authority.Authorize,
			Registry: registry, RegistryURL: registryURL, Parameters: f.parameters, Secrets: f.secrets, Logs: f.logs, Objects: objects})),
		"AWS_EC2_METADATA_DISABLED": "true",
		"HOME":                      t.TempDir(),
		"PATH":                      os.Getenv("PATH"),
	}
	return f
}

func serve(t *testing.T, h http.Handler) (url string) {
	t.Helper()
	server, err := api.Serve(h)
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

func (f fixture) push(t *testing.T, registry *ecr.Registry) (digest string) {
	t.Helper()
	image, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(f.host + "/web:v1")
	if err != nil {
		t.Fatal(err)
	}
	password, _ := registry.IssueToken(iam.Session{})
	if err := remote.Write(ref, image, remote.WithAuth(&authn.Basic{Username: "AWS", Password: password})); err != nil {
		t.Fatal(err)
	}
	h, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return h.String()
}

// caller is a way to make a call in the fixture's environment.
type caller func(t *testing.T, f fixture, args ...string) (stdout, stderr string, code int)

func builtin(t *testing.T, f fixture, args ...string) (string, string, int) {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"} {
		t.Setenv(name, "")
	}
	for name, value := range f.env {
		t.Setenv(name, value)
	}
	var stdout, stderr bytes.Buffer
	code := Main(args, &stdout, &stderr)
	return stdout.String(), stderr.String(), code
}

func installed(path string) caller {
	return func(t *testing.T, f fixture, args ...string) (string, string, int) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		cmd := exec.Command(path, args...)
		cmd.Env = environ(f)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
	}
}

func environ(f fixture) []string {
	var env []string
	for name, value := range f.env {
		env = append(env, name+"="+value)
	}
	return env
}

// The built-in aws and an installed one give the same answers, except for the exit code of a service error, which is
// 255 in version 1.
func TestCalls(t *testing.T) {
	f := newFixture(t)
	ways := map[string]caller{"built-in": builtin}
	if path, ok := Find(environ(f)); ok {
		ways["installed"] = installed(path)
	}
	describe := func(repository, tag, region string) []string {
		return []string{"ecr", "describe-images", "--region", region, "--repository-name", repository, "--image-ids", "imageTag=" + tag,
			"--query", "imageDetails[0].imageDigest", "--output", "text"}
	}
	tests := []struct {
		name       string
		args       []string
		wantStdout string
		wantStderr string
	}{
		{"digest of a tag", describe("web", "v1", "eu-central-1"), f.digest + "\n", ""},
		{"unknown tag", describe("web", "v2", "eu-central-1"), "",
			"\nAn error occurred (ImageNotFoundException) when calling the DescribeImages operation: The image with imageId {imageDigest:'null', " +
				"imageTag:'v2'} does not exist within the repository with name 'web' in the registry with id '123456789012'\n"},
		{"undeclared repository", describe("nowhere", "v1", "eu-central-1"), "",
			"\nAn error occurred (RepositoryNotFoundException) when calling the DescribeImages operation: " +
				"The repository with name 'nowhere' does not exist in the registry with id '123456789012'\n"},
		{"no permission", describe("secret", "v1", "eu-central-1"), "",
			"\nAn error occurred (AccessDeniedException) when calling the DescribeImages operation: " +
				"User: arn:aws:sts::123456789012:assumed-role/build/AWSCodeBuild-1 is not authorized to perform: ecr:DescribeImages " +
				"on resource: arn:aws:ecr:eu-central-1:123456789012:repository/secret because no identity-based policy allows the ecr:DescribeImages action"},
		{"wrong region", describe("web", "v1", "us-east-1"), "",
			"\nAn error occurred (InvalidSignatureException) when calling the DescribeImages operation: " +
				"Credential should be scoped to a valid region, not 'us-east-1'. The stack's region is 'eu-central-1'.\n"},
	}
	for _, tt := range tests {
		for way, call := range ways {
			t.Run(tt.name+"/"+way, func(t *testing.T) {
				stdout, stderr, code := call(t, f, tt.args...)
				if stdout != tt.wantStdout || !strings.HasPrefix(stderr, tt.wantStderr) || tt.wantStderr == "" && stderr != "" {
					t.Errorf("got %q, %q; want %q, %q", stdout, stderr, tt.wantStdout, tt.wantStderr)
				}
				if refused := tt.wantStderr != ""; refused && code != 254 && (code != 255 || way == "built-in") || !refused && code != 0 {
					t.Errorf("exit code %d", code)
				}
			})
		}
	}
	for way, call := range ways {
		t.Run("login of a build/"+way, func(t *testing.T) { f.login(t, call) })
	}
	delete(f.env, "AWS_CONTAINER_CREDENTIALS_FULL_URI")
	f.env["AWS_EC2_METADATA_DISABLED"] = "false"
	f.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = f.metadata
	for way, call := range ways {
		t.Run("login of a host/"+way, func(t *testing.T) { f.login(t, call) })
	}
}

// login gets a password and tries it on the registry.
func (f fixture) login(t *testing.T, call caller) {
	t.Helper()
	stdout, stderr, code := call(t, f, "ecr", "get-login-password", "--region", "eu-central-1")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	r, err := http.NewRequest("GET", "http://"+f.host+"/v2/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("AWS", strings.TrimSpace(stdout))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK || !strings.HasSuffix(stdout, "\n") {
		t.Errorf("login with %q: %s", stdout, answer.Status)
	}
}

func TestWithoutCredentials(t *testing.T) {
	f := newFixture(t)
	delete(f.env, "AWS_CONTAINER_CREDENTIALS_FULL_URI")
	stdout, stderr, code := builtin(t, f, "ecr", "get-login-password", "--region", "eu-central-1")
	if stdout != "" || code != 253 || !strings.HasPrefix(stderr, "\nUnable to locate credentials.") {
		t.Errorf("got %q, %q, %d", stdout, stderr, code)
	}
}

func TestEndpointThatDoesNotAnswer(t *testing.T) {
	f := newFixture(t)
	f.env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1"
	f.env["AWS_MAX_ATTEMPTS"] = "1"
	_, stderr, code := builtin(t, f, "ecr", "get-login-password", "--region", "eu-central-1")
	if code != 255 || !strings.Contains(stderr, "127.0.0.1:1") {
		t.Errorf("got %q, %d, want the address and 255", stderr, code)
	}
}

func TestCallsThatAreNotServed(t *testing.T) {
	tests := []struct {
		name string
		args string
		want string
	}{
		{"nothing", "", `does not support "aws "`},
		{"other service", "s3 cp a s3://b/a", `does not support "aws s3 cp a s3://b/a"; install the AWS CLI`},
		{"other operation", "ecr list-images --region r", "install the AWS CLI"},
		{"other option", "ecr get-login-password --region r --profile p", "install the AWS CLI"},
		{"option without a value", "ecr get-login-password --region", "install the AWS CLI"},
		{"other format", "ecr describe-images --region r --repository-name n --image-ids imageTag=t --output table", "install the AWS CLI"},
		{"a query that is none", "ssm get-parameters --region r --names a --query a[", "Bad value for --query a[: "},
		{"no names", "ssm get-parameters --region r --names --with-decryption", "install the AWS CLI"},
		{"names as JSON", "ssm get-parameters --region r --names [\"a\"]", "install the AWS CLI"},
		{"value from a file", "ssm put-parameter --region r --name a --value file://b", "install the AWS CLI"},
		{"value of a flag", "ssm put-parameter --region r --name a --value b --overwrite c", "install the AWS CLI"},
		{"two files", "s3api get-object --region r --bucket b --key k one two", "install the AWS CLI"},
		{"no file", "s3api get-object --region r --bucket b --key k", "the following arguments are required: outfile"},
		{"several lacking", "logs create-log-stream --region r", "the following arguments are required: --log-group-name, --log-stream-name"},
		{"two images", "ecr describe-images --region r --repository-name n --image-ids imageTag=t,imageDigest=d --output text", "install the AWS CLI"},
		{"no region", "ecr get-login-password", "the following arguments are required: --region"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := Main(strings.Fields(tt.args), &stdout, &stderr)
			if code != 252 || stdout.Len() > 0 || !strings.Contains(stderr.String(), tt.want) {
				t.Errorf("got %d, %q, %q, want 252 and %s", code, stdout.String(), stderr.String(), tt.want)
			}
		})
	}
}
