package deployscripts_test

import (
	"strings"
	"testing"
)

// awaitCertificate runs await_certificate, with a short wait, against an edge that answers and has logged this.
func awaitCertificate(t *testing.T, domain, answer, logged string) string {
	t.Helper()
	library := strings.Replace(readFile(t, "hooks/lib/certificate.sh"), "CERTIFICATE_SECONDS=30", "CERTIFICATE_SECONDS=1", 1)
	before := "source hooks/lib/json.sh\nDOMAIN=" + domain + " EDGE=x-edge HEALTH_PATH=/\nlog() { printf '%s\\n' \"$*\"; }\n" +
		"edge_address() { echo 127.0.0.1:80; }\nhttp_get() { echo '" + answer + "'; }\ndocker() { cat <<'END'\n" + logged + "\nEND\n}\n"
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
		app    = "308 172.18.0.2:8080"
		failed = `{"level":"error","ts":1,"logger":"tls.obtain","msg":"will retry","error":"[shop.example.com] Obtain: \"no\" answer","attempt":1}`
		other  = `{"level":"error","ts":1,"logger":"tls.obtain","msg":"will retry","error":"[other.example.com] Obtain: x","attempt":1}`
		stale  = `{"level":"error","ts":1,"logger":"tls.renew","msg":"will retry","error":"[shop.example.com] Renew: away","attempt":1}`
		issued = `{"level":"info","ts":2,"logger":"tls.obtain","msg":"certificate obtained successfully","identifier":"shop.example.com"}`
		busy   = `{"level":"info","ts":3,"logger":"tls.obtain","msg":"obtaining certificate","identifier":"shop.example.com"}`
	)
	for name, tt := range map[string]struct{ domain, answer, logged, want string }{
		"no domain":                {"", "200 172.18.0.2:8080", failed, ""},
		"a certificate":            {"shop.example.com", edge, failed + "\n" + issued, ""},
		"no header":                {"shop.example.com", "308 -", "", ""},
		"none, with the reason":    {"shop.example.com", "200 172.18.0.2:8080", failed + "\n" + busy, `HTTP goes on, without HTTPS; the edge keeps trying: [shop.example.com] Obtain: "no" answer`},
		"an application redirects": {"shop.example.com", app, failed, "there is no certificate for shop.example.com yet"},
		"none, without a reason":   {"shop.example.com", "200 172.18.0.2:8080", other, "the CA has not answered within 1 s"},
		"not renewed":              {"shop.example.com", edge, issued + "\n" + stale, "is not being renewed, and HTTPS ends when it expires; the edge keeps trying: [shop.example.com] Renew: away"},
	} {
		got := awaitCertificate(t, tt.domain, tt.answer, tt.logged)
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: says %q, want %q", name, got, tt.want)
		}
	}
}
