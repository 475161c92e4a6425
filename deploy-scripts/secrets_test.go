package deployscripts_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cicd/rehearsal/aws/cli"
)

const (
	parameterARN = "arn:aws:ssm:eu-central-1:123456789012:parameter"
	secretARN    = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:"
)

// fetching gets secrets as start.sh does.
type fetching struct {
	*services
	env []string
}

// newFetching has AWS's part played by services, and the AWS CLI's by runServices.
func newFetching(t *testing.T) fetching {
	t.Helper()
	self, err := os.Executable()
	dir := t.TempDir()
	if err == nil {
		err = os.Symlink(self, filepath.Join(dir, "aws"))
	}
	if err != nil {
		t.Fatal(err)
	}
	f := fetching{services: newServices()}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "AWS_ENDPOINT_URL="+server.URL)
	return f
}

// withAWSCLI has the AWS CLI of this machine make the calls.
func (f fetching) withAWSCLI(t *testing.T) fetching {
	t.Helper()
	path, ok := cli.Find(os.Environ())
	if !ok {
		t.Skip("needs the AWS CLI")
	}
	f.env = append(f.env, "PATH="+filepath.Dir(path)+":"+os.Getenv("PATH"), "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=example")
	return f
}

// run fetches the secrets, each NAME=SOURCE, and returns their values, or the last line of what is said.
func (f fetching) run(t *testing.T, before string, sources ...string) (values map[string]string, said string) {
	t.Helper()
	script := `set -euo pipefail
		log() { printf '%s\n' "$*" >&2; }
		die() { log "$*"; exit 1; }
		AWS_REGION=eu-central-1 STACK=dev WORK=` + t.TempDir() + `
		for lib in settings answers fetch json secrets; do source "hooks/lib/$lib.sh"; done
		` + before + `
		for source in "$@"; do add_secret "${source%%=*}" "${source#*=}"; done
		((${#SETTINGS_PROBLEMS[@]} == 0)) || die "${SETTINGS_PROBLEMS[@]}"
		fetch_secrets
		secret_variables
		grep -r . "$WORK" >&2 || true` // what is left of a call is a reason
	f.settle()
	cmd := exec.Command("bash", append([]string{"-c", script, "start.sh"}, sources...)...)
	cmd.Env = f.env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, lastLine(stderr.String())
	}
	if stderr.Len() > 0 {
		t.Errorf("it says %q and succeeds", stderr.String())
	}
	values = map[string]string{}
	for variable := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		name, value, _ := strings.Cut(variable, "=")
		values[name] = value
	}
	return values, ""
}

// odd are values that text between programs easily breaks.
var odd = []string{
	"postgres://u:p%40ss@db.internal:5432/app?sslmode=require", "-----BEGIN KEY-----\nMII\n-----END KEY-----\n", "\n\n", " both ends ", "'\"`$(id)\\n\\", "*",
	"tab\tand\rreturn\r\n", "zażółć 鍵 😀", "None", "{\"not\": \"asked for\"}", "=", strings.Repeat("0123456789abcdef", 512),
}

func TestSecretsKeepTheirValues(t *testing.T) {
	t.Parallel()
	for _, real := range []bool{false, true} {
		t.Run(fmt.Sprint("AWS CLI ", real), func(t *testing.T) {
			t.Parallel()
			f := newFetching(t)
			if real {
				f = f.withAWSCLI(t)
			}
			var sources []string
			want := map[string]string{}
			for i, value := range odd {
				own, foreign, whole, field := fmt.Sprintf("OWN_%d", i), fmt.Sprintf("FOREIGN_%d", i), fmt.Sprintf("WHOLE_%d", i), fmt.Sprintf("FIELD_%d", i)
				f.parameters["/cicd/dev/"+own], want[own], want[field] = value, value, value
				sources = append(sources, own+"=/cicd/dev/"+own, field+"="+secretARN+"json#"+field)
				if real && i != 1 {
					continue // each of these is a call, and each call takes the AWS CLI seconds
				}
				f.parameters["/shared/"+foreign], f.secrets[secretARN+whole], want[foreign], want[whole] = value, value, value, value
				sources = append(sources, foreign+"="+parameterARN+"/shared/"+foreign, whole+"="+secretARN+whole)
			}
			f.secrets[secretARN+"json"] = jsonOf(want)
			for _, locale := range []string{"C", "C.UTF-8"}[:1+len(sources)/48] {
				f.env = append(f.env, "LC_ALL="+locale)
				got, said := f.run(t, "", sources...)
				for name, value := range want {
					if got[name] != value {
						t.Errorf("%s, %s = %.60q, want %.60q", locale, name, got[name], value)
					}
				}
				if said != "" || len(got) != len(want) {
					t.Errorf("%s: %d values, it says %q", locale, len(got), said)
				}
			}
			for _, input := range f.made("GetParameters") {
				if n := strings.Count(input, `"/`) + strings.Count(input, `"arn`); n > 10 {
					t.Errorf("a call asks for %d parameters, more than AWS takes", n)
				}
			}
		})
	}
}

// TestSecretsThatCannotBeHad has one message for all that is wrong.
func TestSecretsThatCannotBeHad(t *testing.T) {
	t.Parallel()
	f := newFetching(t)
	f.parameters["/cicd/dev/NUL"], f.parameters["/cicd/dev/HAD"] = "a\x00b", "x"
	f.secrets[secretARN+"text"], f.secrets[secretARN+"binary"], f.secrets[secretARN+"json"] = "plain", []byte("x"), `{"nested": {}, "nul": "\u0000"}`
	tests := []struct {
		sources []string
		want    string
	}{
		{[]string{"A=/cicd/dev/A"}, "the secret A has no value: `cicd secrets set A --stack dev`, then release again; nothing has been changed"},
		{[]string{"B=/cicd/dev/B", "A=/cicd/dev/A", "HAD=/cicd/dev/HAD"},
			"the secrets A, B have no value: `cicd secrets set A --stack dev`, `cicd secrets set B --stack dev`, then release again; nothing has been changed"},
		{[]string{"A=" + parameterARN + "/x"}, "cannot read the secret A: " + parameterARN + "/x does not exist; nothing has been changed"},
		{[]string{"A=" + secretARN + "x#k"}, "cannot read the secret A: " + secretARN + "x does not exist"},
		{[]string{"A=" + secretARN + "binary"}, "cannot read the secret A: it is binary, want text"},
		{[]string{"A=" + secretARN + "text#k"}, "cannot read the secret A: " + secretARN + "text: it is not a JSON object, so it has no key k"},
		{[]string{"A=" + secretARN + "json#k"}, "json: its JSON object has no key k"},
		{[]string{"A=" + secretARN + "json#nested"}, "json: the value of its key nested is an object, a list or null: want a string, a number or a boolean"},
		{[]string{"A=" + secretARN + "json#nul"}, "json: the value of its key nul holds a NUL, which no variable can"},
		{[]string{"NUL=/cicd/dev/NUL"}, "cannot read the secret NUL: the value holds a NUL, which no variable can"},
		{[]string{"A=/cicd/dev/A", "B=" + secretARN + "x"}, "the secret A has no value: `cicd secrets set A --stack dev`, then release again; cannot read the secret B: " + secretARN + "x does not exist; nothing"},
	}
	for _, tt := range tests {
		if _, said := f.run(t, "", tt.sources...); !strings.Contains(said, tt.want) {
			t.Errorf("%q: it says %q, want %q", tt.sources, said, tt.want)
		}
	}
}

// TestSecretsAreAskedForAgain has an AWS that is busy, one that refuses, and one that does not answer.
func TestSecretsAreAskedForAgain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		refused []string
		pause   time.Duration
		want    string // "" for the values
		calls   int
	}{
		{"busy", []string{"ThrottlingException", "InternalServerError", success}, 0, "", 3},
		{"refused", []string{"AccessDeniedException"}, 0, `^cannot read the secrets A, B: An error occurred \(AccessDeniedException\) when calling the GetParameters operation: not today ; nothing`, 3},
		{"silent", []string{success}, time.Minute, `^cannot read the secrets A, B: AWS did not answer within 60 s; nothing`, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFetching(t)
			f.parameters["/cicd/dev/A"], f.parameters["/cicd/dev/B"] = "a", "b"
			f.refused["GetParameters"], f.slow["GetParameters"] = tt.refused, tt.pause
			before := "sleep() { :; }"
			if tt.pause > 0 {
				before = "call() { PYTHONUTF8=1 timeout --foreground 2 \"$@\"; }; SECONDS=58"
			}
			got, said := f.run(t, before, "A=/cicd/dev/A", "B=/cicd/dev/B")
			if tt.want == "" && (got["A"] != "a" || got["B"] != "b") || !regexp.MustCompile(tt.want).MatchString(said) {
				t.Errorf("%q, it says %q, want %q", got, said, tt.want)
			}
			if calls := f.made("GetParameters"); len(calls) != tt.calls {
				t.Errorf("%d calls, want %d", len(calls), tt.calls)
			}
		})
	}
}

// TestSecretMarkedForDeletion is told at once: another try would find the same.
func TestSecretMarkedForDeletion(t *testing.T) {
	t.Parallel()
	f := newFetching(t)
	f.refused["GetSecretValue"] = []string{"InvalidRequestException"}
	_, said := f.run(t, "", "A="+secretARN+"x")
	if !strings.Contains(said, "(InvalidRequestException)") || len(f.made("GetSecretValue")) != 1 {
		t.Errorf("it says %q after %d calls", said, len(f.made("GetSecretValue")))
	}
}

// TestSecretsShareCalls asks for as much as possible at a time, and once for each thing.
func TestSecretsShareCalls(t *testing.T) {
	t.Parallel()
	f := newFetching(t)
	var sources []string
	for i := range 25 {
		f.parameters[fmt.Sprint("/cicd/dev/P", i)] = "x"
		sources = append(sources, fmt.Sprintf("P%d=/cicd/dev/P%d", i, i))
	}
	f.parameters["/shared/X"], f.secrets[secretARN+"json"] = "x", `{"a": "1", "b": 2, "a#b": true}`
	sources = append(sources, "X="+parameterARN+"/shared/X", "Y="+parameterARN+"/shared/X", "J1="+secretARN+"json#a", "J2="+secretARN+"json#b", "J3="+secretARN+"json#a#b")
	got, said := f.run(t, "", sources...)
	if len(got) != 30 || got["P24"] != "x" || got["Y"] != "x" || got["J1"]+got["J2"]+got["J3"] != "12true" {
		t.Errorf("%d values, it says %q: %q", len(got), said, got)
	}
	if parameters, secrets := f.made("GetParameters"), f.made("GetSecretValue"); len(parameters) != 4 || len(secrets) != 1 {
		t.Errorf("%d and %d calls, want 3 for own parameters, 1 for the other, and 1", len(parameters), len(secrets))
	}
}
