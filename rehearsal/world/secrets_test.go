package world

import (
	"maps"
	"strings"
	"testing"

	"cicd/infra"
	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/secretsmanager"
	"cicd/rehearsal/aws/ssm"
)

const (
	foreignParameter = "arn:aws:ssm:eu-central-1:123456789012:parameter/team/queue"
	foreignSecret    = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf"
)

// configured has three kinds of secrets. The application and its build have two of the same name, one of them from the same
// place.
func configured() []secret {
	return secretsOf(infra.Application{
		Secrets: map[string]string{
			"PLAIN_ONE":   "",
			"QUEUE_URL":   foreignParameter,
			"DB_USER":     foreignSecret + "#username",
			"DB_PASSWORD": foreignSecret + "#password",
		},
		BuildSecrets: map[string]string{"NPM_TOKEN": "", "PLAIN_ONE": "", "QUEUE_URL": ""},
	})
}

func TestSecretValues(t *testing.T) {
	tests := []struct {
		name, file string
		exported   map[string]string
		missing    string // all names, as listed
		wrong      string // part of another error
		want       map[string]string
	}{
		{name: "none", missing: "DB_PASSWORD, DB_USER, NPM_TOKEN, PLAIN_ONE, QUEUE_URL"},
		{name: "some", file: "PLAIN_ONE=1\nQUEUE_URL=\n", exported: map[string]string{"NPM_TOKEN": "n"}, missing: "DB_PASSWORD, DB_USER, QUEUE_URL"},
		{name: "exported before file", file: "PLAIN_ONE='a $b'\nQUEUE_URL=\"q\\nr\"\nDB_USER=u\nDB_PASSWORD=p\nNPM_TOKEN=file\n# a comment\nOTHER=o\n",
			exported: map[string]string{"NPM_TOKEN": "exported"},
			want:     map[string]string{"PLAIN_ONE": "a $b", "QUEUE_URL": "q\nr", "DB_USER": "u", "DB_PASSWORD": "p", "NPM_TOKEN": "exported"}},
		{name: "not a file of variables", file: "PLAIN ONE\n", wrong: "NAME='value'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if tt.file != "" {
				testproject.Apply(t, dir, edit.Write(secretsFile, tt.file))
			}
			for name, value := range tt.exported {
				t.Setenv(name, value)
			}
			got, err := secretValues(dir, "dev", configured())
			switch {
			case tt.missing != "":
				if err == nil || !strings.Contains(err.Error(), "of stack dev: "+tt.missing+":") {
					t.Errorf("error %v, want one that lists %s", err, tt.missing)
				}
			case tt.wrong != "":
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("error %v, want one with %q", err, tt.wrong)
				}
			case err != nil:
				t.Error(err)
			}
			for name, want := range tt.want {
				if got[name] != want {
					t.Errorf("%s is %q, want %q", name, got[name], want)
				}
			}
		})
	}
}

// TestStoreSecrets: every secret is where its source says.
func TestStoreSecrets(t *testing.T) {
	acct := account.New(accountID)
	acct.SetRegion("eu-central-1")
	authority := iam.NewAuthority(acct)
	c := &cloud{account: acct, parameters: ssm.New(acct, authority), secrets: secretsmanager.New(acct, authority)}
	for name, value := range map[string]string{"PLAIN_ONE": "1", "QUEUE_URL": "q", "DB_USER": "u", "DB_PASSWORD": `p"`, "NPM_TOKEN": "n"} {
		t.Setenv(name, value)
	}
	values, err := secretValues(t.TempDir(), "dev", configured())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.storeSecrets(configured(), values, "/cicd/dev"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"/cicd/dev/PLAIN_ONE": "1", "/cicd/dev/NPM_TOKEN": "n", "/cicd/dev/QUEUE_URL": "q", foreignParameter: "q",
	} {
		if got, ok := c.parameters.Lookup(name); !ok || got.Value != want || got.Version != 1 {
			t.Errorf("parameter %s is %q in version %d, want %q in version 1", name, got.Value, got.Version, want)
		}
	}
	got, err := c.secrets.GetSecretValue(authority.Administrator("somebody"), secretsmanager.GetSecretValueInput{SecretID: foreignSecret})
	if want := `{"password":"p\"","username":"u"}`; err != nil || got.SecretString != want {
		t.Errorf("secret %q, %v; want %s", got.SecretString, err, want)
	}
}

// TestVariables: those of the containers, whose numbers and truth values are text.
func TestVariables(t *testing.T) {
	config := map[string]string{
		"aws:region": "eu-central-1", "cicd:repository": "acme/web",
		"cicd:environment": `{"RETRIES":3,"DEBUG":true}`, "cicd:secrets": `{"KEY":""}`, "cicd:buildSecrets": `{"NPM_TOKEN":""}`,
	}
	app, err := infra.ReadApplication("cicd", "dev", config, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := World{application: app, secretValues: map[string]string{"KEY": "k", "NPM_TOKEN": "postgres://db.example.com"}}
	if want := map[string]string{"RETRIES": "3", "DEBUG": "true", "KEY": "k"}; !maps.Equal(w.variables(), want) {
		t.Errorf("variables %q, want %q", w.variables(), want)
	}
}
