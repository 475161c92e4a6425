package provider

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cicd/internal/regions"
	"cicd/rehearsal/aws/instancetypes"
)

// isRegion reports whether a region exists and can be rehearsed: its zones are known.
func isRegion(name string) bool {
	region, _ := regions.Find(name)
	return region.Zones != ""
}

// partitionOf returns a region's partition, and dnsSuffix the partition's domain.
func partitionOf(region string) string { return regionNamed(region).Partition }
func dnsSuffix(region string) string   { return regionNamed(region).DNSSuffix }

// regionNamed returns a region, or one like most if there is none of that name.
func regionNamed(name string) regions.Region {
	region, ok := regions.Find(name)
	if !ok {
		return regions.Region{Name: name, Partition: "aws", DNSSuffix: "amazonaws.com"}
	}
	return region
}

// verifyOffered reports a service that the region lacks: the SDK finds no endpoint there.
func (c *call) verifyOffered(service, endpoint string, r *report) {
	if !regionNamed(c.region).Has(service) {
		r.add("", "dial tcp: lookup %s.%s.%s: no such host: AWS does not offer it in this region", endpoint, c.region, dnsSuffix(c.region))
	}
}

// zoneID returns the id of a zone, such as use1-az2 for us-east-1b. Each real account has its own mapping; this one's
// is alphabetical.
func zoneID(region, zone string) string {
	code := strings.NewReplacer("northeast", "ne", "southeast", "se", "northwest", "nw", "north", "n", "south", "s",
		"east", "e", "west", "w", "central", "c", "gov", "g", "-", "").Replace(region)
	return fmt.Sprintf("%s-az%d", code, slices.Index(instancetypes.Zones(region), zone)+1)
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
			for _, architecture := range []string{instancetypes.X86, instancetypes.ARM64} {
				parameter := "/aws/service/ami-amazon-linux-latest/al2023-ami-" + variant + "kernel-" + kernel + "-" + architecture
				if imageOf(region, parameter) == image {
					return architecture
				}
			}
		}
	}
	return ""
}

// rehearsable returns the names of the regions that can be rehearsed.
func rehearsable() []string {
	var names []string
	for _, region := range regions.All() {
		if isRegion(region.Name) {
			names = append(names, region.Name)
		}
	}
	return names
}
