package provider

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// zoneLetters lists each region's availability zones by letter, as a new account sees them. Source: AWS Regions and
// Availability Zones user guide; regions not listed there do not exist.
var zoneLetters = map[string]string{
	"af-south-1": "abc", "ap-east-1": "abc", "ap-east-2": "abc", "ap-northeast-1": "acd", "ap-northeast-2": "abcd",
	"ap-northeast-3": "abc", "ap-south-1": "abc", "ap-south-2": "abc", "ap-southeast-1": "abc", "ap-southeast-2": "abc",
	"ap-southeast-3": "abc", "ap-southeast-4": "abc", "ap-southeast-5": "abc", "ap-southeast-7": "abc",
	"ca-central-1": "abd", "ca-west-1": "abc", "cn-north-1": "abd", "cn-northwest-1": "abc",
	"eu-central-1": "abc", "eu-central-2": "abc", "eu-north-1": "abc", "eu-south-1": "abc", "eu-south-2": "abc",
	"eu-west-1": "abc", "eu-west-2": "abc", "eu-west-3": "abc", "il-central-1": "abc", "me-central-1": "abc",
	"me-south-1": "abc", "mx-central-1": "abc", "sa-east-1": "abc", "us-east-1": "abcdef", "us-east-2": "abc",
	"us-gov-east-1": "abc", "us-gov-west-1": "abc", "us-west-1": "ac", "us-west-2": "abcd",
}

func isRegion(region string) bool { return zoneLetters[region] != "" }

// partitionOf returns a region's partition.
func partitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// zones returns the names of a region's availability zones, in order.
func zones(region string) []string {
	var names []string
	for _, letter := range zoneLetters[region] {
		names = append(names, region+string(letter))
	}
	return names
}

// zoneID returns the id of a zone, such as use1-az2 for us-east-1b. Each real account has its own mapping; this one's
// is alphabetical.
func zoneID(region, zone string) string {
	code := strings.NewReplacer("northeast", "ne", "southeast", "se", "northwest", "nw", "north", "n", "south", "s",
		"east", "e", "west", "w", "central", "c", "gov", "g", "-", "").Replace(region)
	return fmt.Sprintf("%s-az%d", code, slices.Index(zones(region), zone)+1)
}

// Architectures by EC2's names.
const (
	architectureX86 = "x86_64"
	architectureARM = "arm64"
)

// Sizes that groups of instance families share.
var (
	burstable = strings.Fields("nano micro small medium large xlarge 2xlarge")
	older     = strings.Fields("large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge")
	newer     = strings.Fields("medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge")
)

// families are the instance families that the rehearsed regions offer. Source: EC2 instance types guide.
var families = map[string]struct {
	architecture string
	sizes        []string
}{
	"t2": {architectureX86, burstable}, "t3": {architectureX86, burstable}, "t3a": {architectureX86, burstable},
	"t4g": {architectureARM, burstable},
	"m5":  {architectureX86, older}, "m5a": {architectureX86, older}, "m6i": {architectureX86, newer[1:]}, "m6a": {architectureX86, newer[1:]},
	"m7i": {architectureX86, newer[1:]}, "m7a": {architectureX86, newer}, "m6g": {architectureARM, newer[:8]}, "m7g": {architectureARM, newer[:8]},
	"c5": {architectureX86, older}, "c6i": {architectureX86, newer[1:]}, "c6a": {architectureX86, newer[1:]}, "c7i": {architectureX86, newer[1:]},
	"c6g": {architectureARM, newer[:8]}, "c7g": {architectureARM, newer[:8]},
	"r5": {architectureX86, older}, "r6i": {architectureX86, newer[1:]}, "r6g": {architectureARM, newer[:8]}, "r7g": {architectureARM, newer[:8]},
}

// architectureOf returns the architecture of an instance type, or "" if there is no such type.
func architectureOf(instanceType string) string {
	name, size, _ := strings.Cut(instanceType, ".")
	family := families[name]
	if !slices.Contains(family.sizes, size) {
		return ""
	}
	return family.architecture
}

// offers reports whether a zone offers an instance type. us-east-1e has only old hardware, which is why launching in
// "the first zones" of that region sometimes fails with EC2's Unsupported error.
func offers(zone, instanceType string) bool {
	return architectureOf(instanceType) != "" && (zone != "us-east-1e" || strings.HasPrefix(instanceType, "t2."))
}

// imageParameter matches a public parameter that names a region's newest Amazon Linux 2023 image. Source: Amazon
// Linux 2023 User Guide, "Launching the latest AL2023 AMI".
var imageParameter = regexp.MustCompile(`^/aws/service/ami-amazon-linux-latest/al2023-ami-(minimal-)?kernel-(default|6\.1|6\.12)-(x86_64|arm64)$`)

// imageOf returns an invented image id for an image parameter, always the same in a region.
func imageOf(region, parameter string) string {
	return fmt.Sprintf("ami-0%x", sha256.Sum256([]byte(region+parameter)))[:len("ami-")+17]
}

// imageArchitecture returns the architecture of an image, or "" if the region has no such image.
func imageArchitecture(region, image string) string {
	for _, variant := range []string{"", "minimal-"} {
		for _, kernel := range []string{"default", "6.1", "6.12"} {
			for _, architecture := range []string{architectureX86, architectureARM} {
				parameter := "/aws/service/ami-amazon-linux-latest/al2023-ami-" + variant + "kernel-" + kernel + "-" + architecture
				if imageOf(region, parameter) == image {
					return architecture
				}
			}
		}
	}
	return ""
}
