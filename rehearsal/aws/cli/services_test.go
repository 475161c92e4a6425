package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// ways are the built-in aws and an installed one, if there is one.
func (f fixture) ways() map[string]caller {
	ways := map[string]caller{"built-in": builtin}
	if path, ok := Find(environ(f)); ok {
		ways["installed"] = installed(path)
	}
	return ways
}

// each runs a test with the built-in aws and with an installed one, each in its own fixture.
func each(t *testing.T, test func(t *testing.T, f fixture, call caller)) {
	t.Helper()
	for way, call := range newFixture(t).ways() {
		t.Run(way, func(t *testing.T) { test(t, newFixture(t), call) })
	}
}

const separator = "0123456789abcdef0123456789abcdef"

// The hooks get parameters with any text in their values, apart by a separator that nobody can know.
func TestGetParameters(t *testing.T) {
	each(t, func(t *testing.T, f fixture, call caller) {
		const value = "two\nlines\t\"quoted\" 'ü' \\n\n\n"
		for name, value := range map[string]string{"/cicd/dev/A": value, "/cicd/dev/B": "1"} {
			if err := f.parameters.Set(name, value); err != nil {
				t.Fatal(err)
			}
		}
		query := "join('" + separator + "', Parameters[].[Name, ARN, to_string(Version), Value][])"
		get := func(output, query string, names ...string) (string, string, int) {
			args := append([]string{"ssm", "get-parameters", "--region", "eu-central-1", "--with-decryption", "--output", output, "--query", query, "--names"}, names...)
			return call(t, f, args...)
		}
		const arn = "arn:aws:ssm:eu-central-1:123456789012:parameter/cicd/dev/"
		stdout, stderr, code := get("text", query, "/cicd/dev/B", arn+"A", "/cicd/dev/NONE")
		want := strings.Join([]string{"/cicd/dev/A", arn + "A", "1", value, "/cicd/dev/B", arn + "B", "1", "1"}, separator) + "\n"
		if stdout != want || stderr != "" || code != 0 {
			t.Errorf("got %q, %q, %d, want %q", stdout, stderr, code, want)
		}
		for _, tt := range []struct{ output, query, want string }{
			{"text", query, "\n"},
			{"text", "Parameters", ""},
			{"text", "Nothing", "None\n"},
			{"json", "InvalidParameters", "[\n    \"/cicd/dev/NONE\"\n]\n"},
		} {
			if stdout, stderr, code := get(tt.output, tt.query, "/cicd/dev/NONE"); stdout != tt.want || stderr != "" || code != 0 {
				t.Errorf("--output %s --query %s: got %q, %q, %d, want %q", tt.output, tt.query, stdout, stderr, code, tt.want)
			}
		}
		for query, want := range map[string]string{
			"Parameters[].{N: Name, V: Version, None: Nothing, List: [Type, DataType]}": "/cicd/dev/A\tNone\t1\nLIST\tSecureString\nLIST\ttext\n" +
				"/cicd/dev/B\tNone\t1\nLIST\tSecureString\nLIST\ttext\n",
			"[Parameters[0].Name, Parameters[].Version, [`true`, 'x']]":       "/cicd/dev/A\n1\t1\nTrue\tx\n",
			"[{a: 'x'}, {b: `null`, c: {d: `[1, 2]`, e: `1.5`}}]":             "x\t\n\tNone\nC\t1.5\nD\t1\nD\t2\n",
			"{x: Parameters[?Version==`1`].{N: Name}, n: length(Parameters)}": "2\nX\t/cicd/dev/A\nX\t/cicd/dev/B\n",
		} {
			if stdout, stderr, code := get("text", query, "/cicd/dev/A", "/cicd/dev/B"); stdout != want || stderr != "" || code != 0 {
				t.Errorf("--query %s: got %q, %q, %d, want %q", query, stdout, stderr, code, want)
			}
		}
		_, stderr, code = get("text", query, "/cicd/prod/A")
		if code != 254 && code != 255 || !strings.HasPrefix(stderr, "\nAn error occurred (AccessDeniedException) when calling the GetParameters operation: User: ") {
			t.Errorf("got %q, %d, want that it is denied", stderr, code)
		}
	})
}

func TestPutParameter(t *testing.T) {
	each(t, func(t *testing.T, f fixture, call caller) {
		const name, value = "/cicd/dev/running-release", `{"commit":"0123456789abcdef0123456789abcdef01234567","secrets":{"A":3}}`
		put := func(more ...string) (string, string, int) {
			return call(t, f, append([]string{"ssm", "put-parameter", "--region", "eu-central-1", "--name", name, "--type", "String"}, more...)...)
		}
		stdout, stderr, code := put("--overwrite", "--value", value)
		var made map[string]any
		if err := json.Unmarshal([]byte(stdout), &made); err != nil || stderr != "" || code != 0 ||
			!reflect.DeepEqual(made, map[string]any{"Version": 1.0, "Tier": "Standard"}) {
			t.Errorf("got %q, %q, %d", stdout, stderr, code)
		}
		if stdout, _, _ := put("--overwrite", "--value", value, "--query", "Version", "--output", "text"); stdout != "2\n" {
			t.Errorf("got %q, want the second version", stdout)
		}
		if p, ok := f.parameters.Lookup(name); !ok || p.Value != value || p.Type != "String" {
			t.Errorf("stored %+v", p)
		}
		const want = "\nAn error occurred (ParameterAlreadyExists) when calling the PutParameter operation: " +
			"The parameter already exists. To overwrite this value, set the overwrite option in the request to true.\n"
		if stdout, stderr, code := put("--value", value); stdout != "" || stderr != want || code != 254 && code != 255 {
			t.Errorf("got %q, %q, %d, want %q", stdout, stderr, code, want)
		}
	})
}

func TestGetSecretValue(t *testing.T) {
	each(t, func(t *testing.T, f fixture, call caller) {
		const text = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:text-a1B2c3"
		const binary = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:binary-a1B2c3"
		if err := f.secrets.Set(text, "{\"a\": \"ü\"}\n"); err != nil {
			t.Fatal(err)
		}
		if err := f.secrets.SetBinary(binary, []byte{0, 0xff}); err != nil {
			t.Fatal(err)
		}
		get := func(secret, query string) (string, string, int) {
			return call(t, f, "secretsmanager", "get-secret-value", "--region", "eu-central-1", "--output", "text", "--query", query, "--secret-id", secret)
		}
		for _, tt := range []struct{ secret, query, want string }{
			{text, "not_null(SecretString, '" + separator + "')", "{\"a\": \"ü\"}\n\n"},
			{binary, "not_null(SecretString, '" + separator + "')", separator + "\n"},
			{binary, "SecretBinary", "AP8=\n"},
			{text, "VersionStages", "AWSCURRENT\n"},
		} {
			if stdout, stderr, code := get(tt.secret, tt.query); stdout != tt.want || stderr != "" || code != 0 {
				t.Errorf("--query %s: got %q, %q, %d, want %q", tt.query, stdout, stderr, code, tt.want)
			}
		}
		const want = "\nAn error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret.\n"
		if _, stderr, code := get(text+"x", "SecretString"); stderr != want || code != 254 && code != 255 {
			t.Errorf("got %q, %d, want %q", stderr, code, want)
		}
	})
}

func TestCreateLogStream(t *testing.T) {
	each(t, func(t *testing.T, f fixture, call caller) {
		create := func() (string, string, int) {
			return call(t, f, "logs", "create-log-stream", "--region", "eu-central-1", "--log-group-name", "/cicd/dev", "--log-stream-name", "web/0123456789ab/1")
		}
		if stdout, stderr, code := create(); stdout != "" || stderr != "" || code != 0 {
			t.Errorf("got %q, %q, %d", stdout, stderr, code)
		}
		const want = "\nAn error occurred (ResourceAlreadyExistsException) when calling the CreateLogStream operation: The specified log stream already exists\n"
		if stdout, stderr, code := create(); stdout != "" || stderr != want || code != 254 && code != 255 {
			t.Errorf("got %q, %q, %d, want %q", stdout, stderr, code, want)
		}
		f.logs.SetAway(true)
		f.env["AWS_MAX_ATTEMPTS"] = "1"
		if stdout, stderr, code := create(); stdout != "" || stderr == "" || code != 255 {
			t.Errorf("while it is away: got %q, %q, %d", stdout, stderr, code)
		}
	})
}

func TestGetObject(t *testing.T) {
	each(t, func(t *testing.T, f fixture, call caller) {
		file := filepath.Join(t.TempDir(), "settings.env")
		get := func(key string, more ...string) (string, string, int) {
			return call(t, f, append([]string{"s3api", "get-object", "--region", "eu-central-1", "--bucket", "artifacts", "--key", key, file}, more...)...)
		}
		stdout, stderr, code := get("_stack/settings.env")
		var response map[string]any
		if err := json.Unmarshal([]byte(stdout), &response); err != nil || stderr != "" || code != 0 {
			t.Fatalf("got %q, %q, %d", stdout, stderr, code)
		}
		delete(response, "LastModified") // in another form in version 1
		want := map[string]any{"AcceptRanges": "bytes", "ContentLength": 10.0, "ContentType": "binary/octet-stream",
			"ETag": `"5bbffceb9529c1dd936ad0f4ba73e0a4"`, "ServerSideEncryption": "AES256", "Metadata": map[string]any{}}
		if !reflect.DeepEqual(response, want) {
			t.Errorf("response %v, want %v", response, want)
		}
		if content, err := os.ReadFile(file); err != nil || string(content) != "STACK=dev\n" {
			t.Errorf("file has %q, %v", content, err)
		}
		if stdout, _, _ := get("_stack/settings.env", "--query", "ContentLength", "--output", "text"); stdout != "10\n" {
			t.Errorf("got %q", stdout)
		}
		const missing = "\nAn error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist.\n"
		if stdout, stderr, code := get("none"); stdout != "" || stderr != missing || code != 254 && code != 255 {
			t.Errorf("got %q, %q, %d, want %q", stdout, stderr, code, missing)
		}
	})
}
