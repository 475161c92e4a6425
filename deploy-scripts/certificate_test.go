package deployscripts_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// awaitCertificate runs await_certificate, with a short wait, against an edge that answers once, and then later, and has
// logged this.
func awaitCertificate(t *testing.T, domain, answer, later, logged string) string {
	t.Helper()
	library := strings.Replace(readFile(t, "hooks/lib/certificate.sh"), "CERTIFICATE_SECONDS=30", "CERTIFICATE_SECONDS=1", 1)
	asked := filepath.Join(t.TempDir(), "asked")
	before := "source hooks/lib/json.sh\nDOMAIN=" + domain + " EDGE=x-edge HEALTH_PATH=/\nlog() { printf '%s\\n' \"$*\"; }\n" +
		"edge_address() { echo 127.0.0.1:80; }\nhttp_get() { if [[ -e '" + asked + "' ]]; then echo '" + later + "'; else echo '" + answer + "'; : >'" + asked + "'; fi; }\ndocker() { cat <<'END'\n" + logged + "\nEND\n}\n"
	got, err := sourced(t, before, "/dev/stdin <<'LIBRARY'\n"+library+"\nLIBRARY", "await_certificate")
	if err != nil {
		t.Errorf("await_certificate: %v\n%s", err, got)
	}
	return got
}

// TestAwaitCertificate: the edge's own redirect tells that there is a certificate, an application's does not; and the last
// attempt counts.
func TestAwaitCertificate(t *testing.T) {
	t.Parallel()
	const (
		edge   = "308 {http.reverse_proxy.upstream.hostport}"
		http   = "200 172.18.0.2:8080"
		app    = "308 172.18.0.2:8080"
		failed = `{"level":"error","ts":1,"logger":"tls.obtain","msg":"will retry","error":"[shop.example.com] Obtain: \"no\" answer","attempt":1}`
		other  = `{"level":"error","ts":1,"logger":"tls.obtain","msg":"will retry","error":"[other.example.com] Obtain: x","attempt":1}`
		stale  = `{"level":"error","ts":1,"logger":"tls.renew","msg":"will retry","error":"[shop.example.com] Renew: away","attempt":1}`
		issued = `{"level":"info","ts":2,"logger":"tls.obtain","msg":"certificate obtained successfully","identifier":"shop.example.com"}`
		again  = `{"level":"info","ts":3,"logger":"tls.obtain","msg":"acquiring lock","identifier":"shop.example.com"}`
		ended  = `{"level":"error","ts":3,"logger":"tls.obtain","msg":"could not get certificate from issuer","identifier":"shop.example.com","error":"context canceled"}`
		busy   = `{"level":"info","ts":3,"logger":"tls.obtain","msg":"obtaining certificate","identifier":"shop.example.com"}`
	)
	for name, tt := range map[string]struct{ domain, answer, later, logged, want string }{
		"no domain":                {"", http, http, failed, ""},
		"a certificate":            {"shop.example.com", edge, edge, failed + "\n" + issued, ""},
		"no header":                {"shop.example.com", "308 -", "308 -", "", ""},
		"none, with the reason":    {"shop.example.com", http, http, failed + "\n" + busy, `HTTP goes on, without HTTPS; the edge keeps trying: [shop.example.com] Obtain: "no" answer`},
		"an application redirects": {"shop.example.com", app, app, failed, "there is no certificate for shop.example.com yet"},
		"none, without a reason":   {"shop.example.com", http, http, other, "the CA has not answered within 1 s"},
		"another attempt":          {"shop.example.com", http, edge, failed + "\n" + again + "\n" + ended, ""},
		"it failed, too":           {"shop.example.com", http, edge, failed + "\n" + again + "\n" + failed, `HTTP goes on, without HTTPS; the edge keeps trying: [shop.example.com] Obtain: "no" answer`},
		"not renewed":              {"shop.example.com", edge, edge, issued + "\n" + stale, "is not being renewed, and HTTPS ends when it expires; the edge keeps trying: [shop.example.com] Renew: away"},
	} {
		got := awaitCertificate(t, tt.domain, tt.answer, tt.later, tt.logged)
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: says %q, want %q", name, got, tt.want)
		}
	}
}
