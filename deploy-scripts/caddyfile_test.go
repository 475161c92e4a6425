package deployscripts_test

import (
	"strings"
	"testing"
)

// TestOlderCaddy has edges of the versions that know the option read_body_idle, and of those that would reject it.
func TestOlderCaddy(t *testing.T) {
	t.Parallel()
	for environment, want := range map[string]bool{
		"":                      true, // an image of one's own
		"CADDY_VERSION=v2.11.5": true,
		"CADDY_VERSION=v2.12.0": true,
		"CADDY_VERSION=v2.11.4": false,
		"CADDY_VERSION=v2.10.2": false,
		"CADDY_VERSION=v2.11.9 CADDY_VERSION=v2.11.2": false, // the image, and the running edge
	} {
		before := "APP_NAME=x CONTAINER_PORT=8080 EDGE=x-edge EDGE_IMAGE=caddy WORK=" + t.TempDir() +
			"\nserving_name() { echo x-8080; }\ndocker() { printf '%s\\n' PATH=/bin " + environment + " XDG_DATA_HOME=/data; }"
		got, err := sourced(t, before, "hooks/lib/caddyfile.sh", `write_config; cat "$WORK/new/caddy/Caddyfile"`)
		if err != nil || strings.Contains(got, "\t\t\tread_body_idle -1s\n") != want || strings.Contains(got, "{$") {
			t.Errorf("%q: %v, want the option: %v\n%s", environment, err, want, got)
		}
	}
}
