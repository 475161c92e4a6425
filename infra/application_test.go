package infra

import (
	"os/exec"
	"strings"
	"testing"
)

// settingsOf returns the settings file of a configuration, as the stack stores it.
func settingsOf(t *testing.T, config map[string]string) string {
	t.Helper()
	return run(t, config).named(t, "s3/bucketObjectv2:BucketObjectv2", "cicd-dev-settings").Inputs["content"].StringValue()
}

func TestSettingsFile(t *testing.T) {
	const head = "STACK=dev\nLOG_GROUP=/cicd/dev\nSECRETS_PATH=/cicd/dev\n"
	if got, want := settingsOf(t, with()), head+"HEALTH_SECONDS=180\nSTOP_SECONDS=30\n"; got != want {
		t.Errorf("settings are\n%s\nwant\n%s", got, want)
	}
	want := head + `HEALTH_SECONDS=300
STOP_SECONDS=60
DOMAIN=shop.example.com
BUILD_ARG DEBUG=false
BUILD_ARG VERSION=1.2
BUILD_SECRET GEM=
BUILD_SECRET NPM_TOKEN=
BUILD_SECRET PIP=
ENVIRONMENT LOG_LEVEL=debug
ENVIRONMENT WORKERS=4
SECRET DATABASE_URL=/cicd/dev/DATABASE_URL
SECRET DB=` + testSecret + `#password
SECRET TOKEN=` + testParameter + `
RELEASE_COMMAND=bin/migrate
RELEASE_COMMAND=--wait
RELEASE_COMMAND=a b
PROCESS mail=sh
PROCESS mail=-c
PROCESS mail=a | b
PROCESS worker=bin/worker
VOLUME_ID=cicd-dev-data-id
VOLUME index=/var/index
VOLUME uploads=/app/uploads
`
	if got := settingsOf(t, everyKey()); got != want {
		t.Errorf("settings are\n%s\nwant\n%s", got, want)
	}
}

// TestSettingsComeBack: a value that would break its line is escaped, and bash turns it back.
func TestSettingsComeBack(t *testing.T) {
	for _, value := range []string{"", " a=b ", "two\nlines\n", "\r\n", `C:\new\rest`, `\\n`, `'"$A` + "`b`", "\t%s é\u2028", `\0101\c`} {
		var line string
		for l := range strings.Lines(Application{Environment: map[string]string{"A": value}}.settingsFile(Scope{Stack: "dev"}, "")) {
			if strings.HasPrefix(l, "ENVIRONMENT A=") {
				line = l
			}
		}
		read := exec.Command("bash", "-c", `IFS= read -r line && printf -v value %b "${line#*=}" && printf %s "${value}x"`)
		read.Stdin = strings.NewReader(line)
		got, err := read.Output()
		if err != nil || string(got) != value+"x" {
			t.Errorf("value %q comes back as %q (%v) from %q", value, strings.TrimSuffix(string(got), "x"), err, line)
		}
	}
}
