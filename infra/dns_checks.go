package infra

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

const (
	// maxDomain is the length of a name as text, without the dot of the root (RFC 1035, section 2.3.4).
	maxDomain = 253
	wantName  = "want a name such as shop.example.com"
)

var (
	// labelPattern is a label of a host's name (RFC 1123, section 2.1), in lower case: Caddy, Route 53 and certificates
	// all turn names into that.
	labelPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	// zonePattern is Route 53's (API reference, HostedZone, Id), as the console shows it, without "/hostedzone/".
	zonePattern = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)

	// localDomains are top-level domains for which no public CA issues a certificate (RFC 2606, section 2; RFC 6761;
	// RFC 6762; RFC 7686; ICANN board resolution 2024.07.29.06).
	localDomains = []string{"alt", "arpa", "example", "internal", "invalid", "local", "localhost", "onion", "test"}
)

// checkDomain accepts the names for which a public CA can issue a certificate by looking at the host: no wildcard.
func checkDomain(domain string) string {
	if domain == "" {
		return ""
	}
	if problem := notDomain(domain); problem != "" {
		return problem
	}
	labels := strings.Split(domain, ".")
	for _, label := range labels {
		if !labelPattern.MatchString(label) {
			return fmt.Sprintf("its part %q is none of a host's name: %s, of a-z, 0-9 and -, at most 63 of them between dots", label, wantName)
		}
	}
	top := labels[len(labels)-1]
	switch {
	case len(domain) > maxDomain:
		return fmt.Sprintf("has %d characters: want at most %d", len(domain), maxDomain)
	case len(labels) < 2:
		return "is not in the public DNS: " + wantName + ", with at least one dot"
	case strings.Trim(top, "0123456789") == "":
		return fmt.Sprintf("ends in the number %s, which is no top-level domain: %s", top, wantName)
	case slices.Contains(localDomains, top):
		return fmt.Sprintf("no public CA issues a certificate for a name in .%s: %s", top, wantName)
	}
	return ""
}

// notDomain returns what a text is that people give instead of a domain, or "".
func notDomain(domain string) string {
	_, err := netip.ParseAddr(strings.Trim(domain, "[]"))
	ascii := !strings.ContainsFunc(domain, func(c rune) bool { return c > 127 })
	switch {
	case err == nil:
		return "is an address, and certificates are for names: " + wantName
	case strings.Contains(domain, "/"):
		return "is a URL or has a path: " + wantName + " alone"
	case strings.Contains(domain, ":"):
		return "has a port, and HTTPS is on port 443: " + wantName + " alone"
	case strings.Contains(domain, "*"):
		return "is a wildcard, whose certificate needs access to the DNS: " + wantName
	case strings.HasSuffix(domain, "."):
		return fmt.Sprintf("ends with a dot: want %s", strings.TrimRight(domain, "."))
	case !ascii:
		return "has letters beyond ASCII: want its form in punycode, such as xn--bcher-kva.example.com"
	case domain != strings.ToLower(domain):
		return fmt.Sprintf("has capitals: want %s", strings.ToLower(domain))
	}
	return ""
}

func checkHostedZoneID(id string) string {
	if id != "" && !zonePattern.MatchString(id) {
		return "want the ID of a hosted zone of Route 53, such as Z0123456789ABCDEFGHIJ, or nothing"
	}
	return ""
}
