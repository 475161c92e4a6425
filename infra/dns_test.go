package infra

import (
	"errors"
	"strings"
	"testing"
)

const testZone = "Z0123456789ABCDEFGHIJ"

func TestCheckDomain(t *testing.T) {
	long := strings.Repeat("a", 63)
	for domain, want := range map[string]string{
		"":                                   ``,
		"example.com":                        ``,
		"shop.eu.example.com":                ``,
		"xn--bcher-kva.example":              `.example`,
		"xn--bcher-kva.example.org":          ``,
		"a-1.b2.co":                          ``,
		long + ".example.com":                ``,
		long + "a.example.com":               `its part "` + long + `a" is none of a host's name`,
		strings.Repeat("abcd.", 50) + "com":  ``, // 253 characters
		strings.Repeat("abcd.", 50) + "info": `has 254 characters: want at most 253`,
		"localhost":                          "with at least one dot",
		"shop.local":                         "no public CA issues a certificate for a name in .local",
		"shop.eu-central-1.internal":         "in .internal",
		"198.51.100.7":                       "is an address, and certificates are for names",
		"2001:db8::1":                        "is an address",
		"[2001:db8::1]":                      "is an address",
		"198.51.100":                         "ends in the number 100",
		"https://shop.example.com":           "is a URL or has a path",
		"shop.example.com/":                  "is a URL or has a path",
		"shop.example.com:443":               "has a port",
		"*.example.com":                      "is a wildcard",
		"shop.example.com.":                  "ends with a dot: want shop.example.com",
		"Shop.Example.com":                   "has capitals: want shop.example.com",
		"bücher.example.com":                 "punycode",
		"-shop.example.com":                  `its part "-shop"`,
		"shop-.example.com":                  `its part "shop-"`,
		"my_shop.example.com":                `its part "my_shop"`,
		"shop..example.com":                  `its part ""`,
		".example.com":                       `its part ""`,
		"shop.example.com ":                  `its part "com "`,
	} {
		if got := checkDomain(domain); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("checkDomain(%q) = %q, want %q in it", domain, got, want)
		}
	}
}

func TestDomainKeys(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config map[string]string
		want   []string
	}{
		{"domain", with("domain", "shop.example.com"), nil},
		{"domain and zone", with("domain", "shop.example.com", "hostedZoneId", testZone), nil},
		{"zone alone", with("hostedZoneId", testZone), []string{"hostedZoneId: want it together with domain"}},
		{"zone's path", with("domain", "shop.example.com", "hostedZoneId", "/hostedzone/"+testZone), []string{"hostedZoneId `/hostedzone/" + testZone + "`: want the ID of a hosted zone"}},
		{"both wrong", with("domain", "10.0.0.1", "hostedZoneId", "example.com"), []string{"domain `10.0.0.1`: is an address", "hostedZoneId `example.com`: want the ID"}},
		{"zone alone, and wrong", with("hostedZoneId", "z1"), []string{"hostedZoneId `z1`: want the ID"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var bad *ConfigError
			if err := CheckConfig("cicd", "dev", tt.config, nil); errors.As(err, &bad) != (tt.want != nil) {
				t.Fatalf("CheckConfig() = %v, want %q", err, tt.want)
			}
			for i, want := range tt.want {
				if len(bad.Violations) != len(tt.want) || !strings.Contains(bad.Violations[i], want) {
					t.Errorf("violations %q, want %q", bad.Violations, tt.want)
				}
			}
		})
	}
	if err := CheckConfig("cicd", "dev", with("hostedZoneId", testZone), []string{"cicd:domain"}); err != nil {
		t.Errorf("an encrypted domain: %v", err)
	}
}

// TestUnfitZone: one clear message, before anything is declared.
func TestUnfitZone(t *testing.T) {
	for name, tt := range map[string]struct {
		zone existingZone
		want string
	}{
		"another domain's":       {existingZone{"example.org", false}, testZone + " is the zone of example.org, which does not hold shop.example.com: want the zone of that domain"},
		"of a name that ends so": {existingZone{"p.example.com", false}, testZone + " is the zone of p.example.com, which does not hold shop.example.com"},
		"below the domain":       {existingZone{"eu.shop.example.com", false}, testZone + " is the zone of eu.shop.example.com, which does not hold shop.example.com"},
		"private":                {existingZone{"example.com", true}, testZone + " is a private zone, which neither visitors nor the CA can ask: want the public one of example.com"},
		"missing":                {existingZone{}, testZone + " cannot be read: no matching Route 53 Hosted Zone found"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := &recorder{zones: map[string]existingZone{}}
			if tt.zone.name != "" {
				rec.zones[testZone] = tt.zone
			}
			wantViolations(t, rec, with("domain", "shop.example.com", "hostedZoneId", testZone), "hostedZoneId: "+tt.want)
		})
	}
}

func TestZoneThatFits(t *testing.T) {
	for _, zone := range []string{"shop.example.com", "example.com", "com"} {
		rec := &recorder{zones: map[string]existingZone{testZone: {zone, false}}}
		if err := attempt(rec, "cicd", "dev", with("domain", "shop.example.com", "hostedZoneId", testZone)); err != nil {
			t.Errorf("the zone of %s: %v", zone, err)
		}
	}
}

func TestDomain(t *testing.T) {
	rec := run(t, with("domain", "shop.example.com", "hostedZoneId", testZone, "connectionAuthorized", "true"))
	wantInputs(t, rec.one(t, "route53/record:Record"), `{
		"zoneId": "`+testZone+`", "name": "shop.example.com", "type": "A", "ttl": 60, "records": ["`+testAddress+`"]
	}`)
	wantDependencies(t, rec.one(t, "codepipeline/pipeline:Pipeline"), "::cicd-dev-domain")
	const ingress = "vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	wantInputs(t, rec.named(t, ingress, "cicd-dev-https"), `{
		"securityGroupId": "cicd-dev-host-sg-id", "description": "HTTPS from anywhere", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "0.0.0.0/0"
	}`)
	wantInputs(t, rec.named(t, ingress, "cicd-dev-http3"), `{
		"securityGroupId": "cicd-dev-host-sg-id", "description": "HTTP/3 from anywhere", "ipProtocol": "udp", "fromPort": 443, "toPort": 443, "cidrIpv4": "0.0.0.0/0"
	}`)
	if got := rec.outputs["appUrl"]; got != "https://shop.example.com" {
		t.Errorf("appUrl = %v", got)
	}
	if got, _ := rec.outputs["nextStep"].(string); strings.Contains(got, "DNS") {
		t.Errorf("nextStep is about the record, which the stack makes: %s", got)
	}
	if settings := settingsOf(t, with("domain", "shop.example.com")); !strings.Contains(settings, "\nDOMAIN=shop.example.com\n") {
		t.Errorf("settings lack the domain:\n%s", settings)
	}
}

// TestDomainWithoutZone: a person makes the record, before and after the connection is authorized.
func TestDomainWithoutZone(t *testing.T) {
	for _, authorized := range []string{"false", "true"} {
		rec := run(t, with("domain", "shop.example.com", "connectionAuthorized", authorized))
		plain := run(t, with("connectionAuthorized", authorized))
		want := "Make this DNS record, unless it is there: `shop.example.com. 60 IN A " + testAddress + "`. " +
			"Then the host gets the certificate for shop.example.com by itself, with the next release. "
		if got := rec.outputs["nextStep"]; got != want+plain.outputs["nextStep"].(string) {
			t.Errorf("authorized %s: nextStep = %v", authorized, got)
		}
		if found := rec.ofType("route53/record:Record"); len(found) > 0 || len(rec.ofType("index:Domain")) > 0 {
			t.Errorf("authorized %s: there is a record, and no zone for it", authorized)
		}
	}
}
