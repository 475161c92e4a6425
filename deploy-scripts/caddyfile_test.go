package deployscripts_test

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestStreamsOutliveReload: a changed Caddyfile is loaded before the switch, and streams to the old container go on
// until it has ended, even if it takes as long as it may.
func TestStreamsOutliveReload(t *testing.T) {
	t.Parallel()
	minutes := regexp.MustCompile(`stream_close_delay (\d+)m\n`).FindStringSubmatch(readFile(t, "edge/Caddyfile"))
	seen := regexp.MustCompile(`SEEN_SECONDS=(\d+)`).FindStringSubmatch(readFile(t, "hooks/lib/serving.sh"))
	if minutes == nil || seen == nil {
		t.Fatal("the edge's delay, or the limit of the switch, is not where it was")
	}
	delay, _ := strconv.Atoi(minutes[1])
	limit, _ := strconv.Atoi(seen[1])
	const most = 300 // seconds that stopSeconds may be
	if delay*60 < limit+most+20 {
		t.Errorf("the edge closes streams %d min after a reload; a switch may take %d s, and the old container's end %d s more", delay, limit, most)
	}
}

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
		before := "APP_NAME=x DOMAIN= CONTAINER_PORT=8080 EDGE=x-edge EDGE_IMAGE=caddy WORK=" + t.TempDir() +
			"\nserving_name() { echo x-8080; }\ndocker() { printf '%s\\n' PATH=/bin " + environment + " XDG_DATA_HOME=/data; }"
		got, err := sourced(t, before, "hooks/lib/caddyfile.sh", `write_config; cat "$WORK/new/caddy/Caddyfile"`)
		if err != nil || strings.Contains(got, "\t\t\tread_body_idle -1s\n") != want || strings.Contains(got, "{$") {
			t.Errorf("%q: %v, want the option: %v\n%s", environment, err, want, got)
		}
	}
}

// TestCaddyfileOfADomain: without a domain the edge knows nothing of HTTPS; with one, the CA is Let's Encrypt unless
// the host says otherwise.
func TestCaddyfileOfADomain(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "root.pem")
	write(t, root, "a root\n")
	const letsEncrypt = "dir https://acme-v02.api.letsencrypt.org/directory\n"
	for before, want := range map[string][]string{
		"DOMAIN=": {"auto_https off\n", "protocols h1 h2c\n"},
		"DOMAIN=shop.example.com": {"auto_https disable_redirects\n", "protocols h1 h2 h2c h3\n", "0rtt off\n", letsEncrypt,
			"\nhttp://shop.example.com {", "\nhttps://shop.example.com {", "try_files /*/shop.example.com/shop.example.com.crt\n"},
		"DOMAIN=shop.example.com ACME_DIRECTORY=https://ca.example.com/dir ACME_ROOT=" + root: {"dir https://ca.example.com/dir\n",
			"trusted_roots /etc/caddy/acme-root.pem\n", "a root\n"},
	} {
		got, err := sourced(t, before+" APP_NAME=x CONTAINER_PORT=8080 EDGE=x-edge EDGE_IMAGE=caddy WORK="+t.TempDir()+
			"\nserving_name() { echo x-8080; }\ndocker() { :; }", "hooks/lib/caddyfile.sh", `write_config; cat "$WORK"/new/caddy/*`)
		if err != nil || strings.Contains(got, "{$") {
			t.Errorf("%s: %v\n%s", before, err, got)
		}
		for _, part := range want {
			if !strings.Contains(got+"\n", part) {
				t.Errorf("%s: lacks %q:\n%s", before, part, got)
			}
		}
		if before == "DOMAIN=" && strings.Contains(got, "https://shop") || strings.Contains(got, "trusted_roots") != strings.Contains(before, root) {
			t.Errorf("%s: has too much:\n%s", before, got)
		}
	}
}
