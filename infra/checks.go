package infra

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"cicd/internal/nearest"
)

// Each check returns what is wrong with a value and what is wanted instead, or "" if the value is valid.

const (
	// minKeepImages leaves one image to roll back to.
	minKeepImages = 2
	// maxPatterns and maxPattern are CodePipeline's limits on the number of path patterns and the length of each
	// (CodePipeline API reference, GitFilePathFilterCriteria).
	maxPatterns, maxPattern = 8, 255
	// minOperatorBits is the shortest prefix that SSH may be opened to: an office, not an internet provider.
	minOperatorBits = 24
)

var (
	repositoryPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$`)
	branchPattern     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,249}$`)
	connectionPattern = regexp.MustCompile(`^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:[0-9]{12}:connection/[A-Za-z0-9-]+$`)
	healthPattern     = regexp.MustCompile(`^/[A-Za-z0-9._~/-]{0,254}$`)
	instancePattern   = regexp.MustCompile(`^[a-z][a-z0-9-]*[0-9][a-z0-9-]*\.[a-z0-9-]+$`)
	gravitonPattern   = regexp.MustCompile(`^([a-z]+[0-9]+g[a-z]*|p6e-gb200)\.`)
	unfitPattern      = regexp.MustCompile(`^(a1|mac)`)

	// retentionDays are the periods that CloudWatch Logs offers (API reference, PutRetentionPolicy).
	retentionDays = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

	// unroutable lists networks that cannot be the source of a packet from the internet.
	unroutable = []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("100.64.0.0/10"), // carrier-grade NAT
		netip.MustParsePrefix("127.0.0.0/8"),
		netip.MustParsePrefix("169.254.0.0/16"),
		netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("224.0.0.0/3"), // multicast and reserved
	}
)

// checkAgentVersion accepts the major versions of CodeDeploy's agent: 1 is written in Ruby, 2 in Rust.
func checkAgentVersion(version int) string { return checkRange(version, 1, 2) }

func checkRepository(repository string) string {
	_, name, _ := strings.Cut(repository, "/")
	if !repositoryPattern.MatchString(repository) || name == "." || name == ".." || strings.HasSuffix(name, ".git") {
		return "want the GitHub repository as owner/name, such as example/webapp"
	}
	return ""
}

// checkBranch accepts less than Git does: the pipeline's trigger takes the name as a glob, where *, ?, [ and { are
// special, and # starts a variable.
func checkBranch(branch string) string {
	bad := !branchPattern.MatchString(branch)
	for part := range strings.SplitSeq(branch, "/") {
		bad = bad || part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".") ||
			strings.HasSuffix(part, ".lock") || strings.Contains(part, "..")
	}
	if bad {
		return "want a branch's name of letters, digits and . _ - /, such as main or release/2"
	}
	return ""
}

func checkConnectionArn(arn string) string {
	if arn != "" && !connectionPattern.MatchString(arn) {
		return "want the ARN of a connection, such as arn:aws:codeconnections:eu-central-1:123456789012:connection/ID, or nothing"
	}
	return ""
}

func checkRange(n, low, high int) string {
	if n < low || n > high {
		return fmt.Sprintf("want %d to %d", low, high)
	}
	return ""
}

func checkRetention(days int) string {
	if !slices.Contains(retentionDays, days) {
		return fmt.Sprintf("want a period that CloudWatch Logs offers, in days: %s",
			strings.Trim(strings.Join(strings.Fields(fmt.Sprint(retentionDays)), ", "), "[]"))
	}
	return ""
}

func checkHealthPath(path string) string {
	if !healthPattern.MatchString(path) {
		return "want a path that starts with / and has letters, digits and . _ ~ - / only, such as /healthz"
	}
	return ""
}

func checkWatchPaths(patterns []string) string {
	if len(patterns) > maxPatterns {
		return fmt.Sprintf("want at most %d patterns; ** alone means every push, and none what appPath says", maxPatterns)
	}
	for i, p := range patterns {
		if p == "" || len(p) > maxPattern || strings.HasPrefix(p, "/") || strings.HasPrefix(p, "./") || strings.TrimSpace(p) != p {
			return fmt.Sprintf("pattern %q: want 1 to %d characters, relative to the repository's root, such as webapp/**", p, maxPattern)
		}
		if slices.Contains(patterns[:i], p) {
			return fmt.Sprintf("pattern %q: want it once", p)
		}
	}
	return ""
}

// checkInstanceType checks the form of the type, and rejects families that cannot run Amazon Linux 2023. Only EC2
// knows whether the region offers the type.
func checkInstanceType(instanceType string) string {
	switch {
	case !instancePattern.MatchString(instanceType):
		return "want an EC2 instance type, such as t3.micro or t4g.small"
	case unfitPattern.MatchString(instanceType):
		return "Amazon Linux 2023 does not run on this family: want another one, such as t3 or t4g"
	case strings.HasSuffix(instanceType, ".nano"):
		// https://github.com/amazonlinux/amazon-linux-2023/issues/404
		return "half a GiB of memory is too little for dnf to install Docker: want .micro or larger"
	}
	return ""
}

// checkOperatorIP also turns a bare address into a single-address network.
func (s *settings) checkOperatorIP() string {
	if s.OperatorIP == "" {
		return ""
	}
	network, err := netip.ParsePrefix(s.OperatorIP)
	if address, aerr := netip.ParseAddr(s.OperatorIP); aerr == nil && address.Zone() == "" {
		network, err = address.Prefix(address.BitLen())
	}
	switch {
	case err != nil:
		return "want an IPv4 address or CIDR block, such as 198.51.100.7, or nothing"
	case !network.Addr().Is4():
		return "is IPv6, and the host has IPv4 only: want the address that `curl -4 https://checkip.amazonaws.com` prints"
	case network.Bits() < minOperatorBits:
		return fmt.Sprintf("lets too many addresses in: want /%d or narrower", minOperatorBits)
	case network != network.Masked():
		return fmt.Sprintf("has bits set beyond its prefix: want %s or a single address", network.Masked())
	case slices.ContainsFunc(unroutable, network.Overlaps):
		return "is not a public address: want the one that `curl -4 https://checkip.amazonaws.com` prints"
	}
	s.OperatorIP = network.String()
	return ""
}

// checkPublicKey accepts the two key types that EC2 can import (EC2 API reference, ImportKeyPair).
func checkPublicKey(key string) string {
	const want = "want one line of OpenSSH public key, starting with ssh-ed25519 or ssh-rsa, such as ~/.ssh/id_ed25519.pub holds, or nothing"
	if key == "" {
		return ""
	}
	if strings.Contains(key, "PRIVATE KEY") {
		return "is a private key: remove it from the configuration and its history, and replace that key; " + want
	}
	fields := strings.Fields(key)
	if len(fields) < 2 || strings.ContainsAny(key, "\r\n") || fields[0] != "ssh-ed25519" && fields[0] != "ssh-rsa" {
		return want
	}
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if key, broken := ssh.ParsePublicKey(blob); err != nil || broken != nil || key.Type() != fields[0] {
		return "is damaged: " + want
	}
	return ""
}

// didYouMean returns the question for a misspelt word, or "" if it resembles none of the known ones.
func didYouMean(word string, known []string) string {
	if near := nearest.Word(word, known); near != "" {
		return ": did you mean " + near + "?"
	}
	return ""
}
