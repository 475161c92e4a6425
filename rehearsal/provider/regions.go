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

// dnsSuffix returns the domain of a region's partition. Source: botocore, partitions.json.
func dnsSuffix(region string) string {
	if partitionOf(region) == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
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
