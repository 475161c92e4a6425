package rehearsal

import (
	"bytes"
	"strings"
	"testing"

	"cicd/internal/docker/dockertest"
	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/rehearsal/change"
	"cicd/rehearsal/rehearsaltest"
)

// TestRehearsalWithDomain has a domain with a zone, and one whose record a person makes: HTTPS works in both, and a
// second release costs its visitors nothing.
func TestRehearsalWithDomain(t *testing.T) {
	dockertest.Need(t)
	for name, zone := range map[string]string{"zone": "\n  cicd:hostedZoneId: Z0123456789ABCDEFGHIJ", "person": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			project := testproject.New(t)
			testproject.Apply(t, project, edit.Replace("Pulumi.dev.yaml", "cicd:connectionAuthorized: false", "cicd:connectionAuthorized: false\n  cicd:domain: shop.example.com"+zone))
			testproject.Commit(t, project, "A domain")
			clean := rehearsaltest.WantClean(t, project)
			var stdout, stderr bytes.Buffer
			if err := Run(t.Context(), rehearsaltest.Options(project, DefaultStack, &stderr), change.Scenario{Out: &stdout}); err != nil {
				t.Fatalf("%v\n%s", err, &stderr)
			}
			if answer := stdout.String(); !strings.Contains(answer, " 0 of ") {
				t.Errorf("the answer is %q, want no failed request", answer)
			}
			said := strings.Join(strings.Fields(stderr.String()), " ") // without the ends of lines
			if !strings.Contains(said, "shop.example.com has a certificate of the CA") || strings.Contains(said, "certificate for shop.example.com yet") {
				t.Errorf("the rehearsal does not show HTTPS, or has no certificate at first:\n%s", &stderr)
			}
			if asked := strings.Contains(said, "as nextStep asks a person to do"); asked != (zone == "") {
				t.Errorf("a person has made the record: %v\n%s", asked, &stderr)
			}
			clean()
		})
	}
}
