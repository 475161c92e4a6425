package deployscripts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// settings are those of a stack that says nothing about its application.
const settings = "STACK=dev\nLOG_GROUP=/cicd/dev\nSECRETS_PATH=/cicd/dev\nHEALTH_SECONDS=180\nSTOP_SECONDS=30\n"

// settle gives a bundle settings, with more lines than the least.
func settle(t *testing.T, bundle string, lines ...string) {
	t.Helper()
	text := settings
	for _, line := range lines {
		text += line + "\n"
	}
	write(t, filepath.Join(bundle, "settings.env"), text)
}

// loadSettings loads a file and runs a command with what it says.
func loadSettings(t *testing.T, file, command string, env ...string) (string, error) {
	t.Helper()
	bundle := t.TempDir()
	copyTree(t, "hooks", filepath.Join(bundle, "hooks"))
	write(t, filepath.Join(bundle, "settings.env"), file)
	cmd := exec.Command("bash", "-c", `set -euo pipefail
		die() { printf '%s\n' "$*" >&2; exit 1; }
		source hooks/lib/settings.sh
		load_settings
		`+command)
	cmd.Dir, cmd.Env = bundle, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestSettings(t *testing.T) {
	t.Parallel()
	got, err := loadSettings(t, settings+strings.Join([]string{
		`DOMAIN=shop.example.com`,
		`BUILD_ARG VERSION=1 2`,
		`BUILD_SECRET NPM_TOKEN=`,
		`ENVIRONMENT EMPTY=`,
		`ENVIRONMENT ODD= a=b "c" $(d) \\n \n*\r`,
		`ENVIRONMENT UMLAUT=zażółć`,
		`SECRET DATABASE_URL=/cicd/dev/DATABASE_URL`,
		`SECRET KEY=` + secretARN + `app-AbCdEf#a=b`,
		`RELEASE_COMMAND=bin/rails`,
		`RELEASE_COMMAND=`,
		`RELEASE_COMMAND=db:migrate x`,
		`PROCESS mailer=bin/mailer`,
		`PROCESS worker=bin/worker`,
		`PROCESS worker=-c`,
		`PROCESS worker=echo a=b\nc`,
		`VOLUME_ID=vol-0123456789abcdef0`,
		`VOLUME index=/var/index`,
		`VOLUME uploads=/app/My_files.d`,
	}, "\n")+"\n", `printf '[%s]' "$STACK" "$LOG_GROUP" "$SECRETS_PATH" "$HEALTH_SECONDS" "$STOP_SECONDS" "$DOMAIN" "${ENVIRONMENT[@]}" "${SOURCES[DATABASE_URL]}" "${SOURCES[KEY]}" \
		"${#SOURCES[@]}" "${RELEASE_COMMAND[@]}" "${PROCESSES[@]}" "${PROCESS_WORDS[@]}" "$VOLUME_ID" "${VOLUMES[@]}"`)
	want := "[dev][/cicd/dev][/cicd/dev][180][30][shop.example.com][EMPTY=][ODD= a=b \"c\" $(d) \\n \n*\r][UMLAUT=zażółć][/cicd/dev/DATABASE_URL][" + secretARN + "app-AbCdEf#a=b][2]" +
		"[bin/rails][][db:migrate x][mailer][worker][mailer=bin/mailer][worker=bin/worker][worker=-c][worker=echo a=b\nc][vol-0123456789abcdef0][index=/var/index][uploads=/app/My_files.d]"
	if err != nil || got != want {
		t.Errorf("%v: %q, want %q", err, got, want)
	}
	if got, err := loadSettings(t, settings, `echo "[$DOMAIN]"`, "DOMAIN=of.the.environment"); err != nil || got != "[]\n" {
		t.Errorf("a stack without a domain: %v, %q", err, got)
	}
	if got, err := loadSettings(t, settings, `echo "$HEALTH_SECONDS"`, "HEALTH_SECONDS=3"); err != nil || got != "3\n" {
		t.Errorf("HEALTH_SECONDS of the environment: %v, %q", err, got)
	}
}

func TestWrongSettings(t *testing.T) {
	t.Parallel()
	if got, err := loadSettings(t, "COLOUR=red\nENVIRONMENT A\nENVIRONMENT 1A=x\nENVIRONMENT PORT=1\nENVIRONMENT A=\\x41\nENVIRONMENT B=1\nENVIRONMENT B=2\nSECRET B=/x\n"+
		"SECRET RELEASE_X=/x\nSECRET PATH=/x\nSECRET C=elsewhere\nPROCESS web=x\nPROCESS A_B=x\nVOLUME A=/a\nVOLUME b=c\nVOLUME d=/e,readonly\nHEALTH_SECONDS=soon\nSTOP_SECONDS=\nSTACK=\nDOMAIN=x {\nLOG_GROUP= \nSECRETS_PATH=/\n  \nENVIRONMENT D=\r\n", ":"); err == nil {
		t.Errorf("it is taken, and says %q", got)
	} else {
		for _, want := range []string{"bad settings: ", "unknown line 'COLOUR=red'; ", "unknown line 'ENVIRONMENT A'; ", "'1A': want a variable's name", "PORT: hooks set this", `'\x41': want \\, \n and \r`,
			"B: there are two of this variable; ", "RELEASE_X: hooks set this", "PATH: the secret needs another name", "secret C 'elsewhere': want a parameter or an ARN", "process 'web': want", "process 'A_B': want",
			"volume 'A': want", "volume b 'c': want an absolute path", "volume d '/e,readonly': want", "VOLUME_ID '': want the id",
			"HEALTH_SECONDS 'soon': want seconds", "STOP_SECONDS '': want seconds", "STACK '': want", "DOMAIN 'x {': want a name", "LOG_GROUP ' ': want", "SECRETS_PATH '/': want", "unknown line '  '; ", "'\r': want"} {
			if !strings.Contains(got, want) {
				t.Errorf("it says %q, want %q too", got, want)
			}
		}
		if strings.Count(got, "two of this variable") != 2 {
			t.Errorf("it says %q, want that there are two of B twice: as plain variables, and as a secret", got)
		}
	}
	for _, missing := range []string{"STACK", "LOG_GROUP", "SECRETS_PATH", "HEALTH_SECONDS", "STOP_SECONDS"} {
		without := strings.Replace(settings, missing, "#", 1)
		if got, err := loadSettings(t, without, ":"); err == nil || !strings.Contains(got, missing+" '': want") {
			t.Errorf("without %s: %v, %q", missing, err, got)
		}
	}
}

// TestSecretsOfAnyName gives secrets the names that a bash has for itself, and those that the hooks have. Each reaches
// the command, or settings.sh rejects it.
func TestSecretsOfAnyName(t *testing.T) {
	t.Parallel()
	names, err := exec.Command("bash", "-c", `compgen -v; for lib in hooks/lib/*.sh hooks/*.sh; do grep -ohE '\b[A-Za-z_]+=' "$lib"; done | tr -d = | sort -u; echo variable REPLY HOSTNAME TERM`).Output()
	if err != nil {
		t.Fatal(err)
	}
	outside := []string{"LD_PRELOAD", "DOCKER_HOST", "DOCKER_CONFIG", "BASH_ENV", "HOME", "DOCKER_PASSWORD"}
	file := settings
	for _, name := range slices.Concat(strings.Fields(string(names)), outside) {
		file += "SECRET " + name + "=/x\n"
	}
	said, _ := loadSettings(t, file, ":")
	rejected := func(name string) bool { return strings.Contains(said, " "+name+": ") }
	var input, want []string
	for _, name := range strings.Fields(string(names)) {
		if !rejected(name) {
			input, want = append(input, name+"=a secret\n"), append(want, name)
		}
	}
	cmd := exec.Command("bash", "hooks/lib/with-secrets.sh", "env", "--null")
	cmd.Stdin = strings.NewReader(strings.Join(input, "\x00") + "\x00")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got := "\x00" + string(out)
	for _, name := range want {
		if !strings.Contains(got, "\x00"+name+"=a secret\n\x00") {
			t.Errorf("%s does not reach the command, and settings.sh takes it", name)
		}
	}
	if !rejected("RANDOM") || len(want) < 50 {
		t.Errorf("%d names are taken, want many, but not RANDOM", len(want))
	}
	for _, name := range outside[:5] {
		if !rejected(name) {
			t.Errorf("settings.sh takes a secret %s, which changes what the docker command does", name)
		}
	}
	if rejected("DOCKER_PASSWORD") {
		t.Error("settings.sh rejects a secret DOCKER_PASSWORD, which nobody else uses")
	}
}
