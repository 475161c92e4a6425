// Package instancetypes knows EC2's instance types and where they are offered, for all stand-ins that are asked.
package instancetypes

import (
	"cmp"
	_ "embed"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cicd/internal/regions"
)

//go:embed instance-types.txt
var instanceTypeList string

// instanceTypes are EC2's types by family, with the sizes of each.
var instanceTypes = parseInstanceTypes(instanceTypeList)

// ListDate is when the list was made: EC2 has had new types since.
const ListDate = "7 August 2026"

func parseInstanceTypes(list string) map[string][]string {
	families := map[string][]string{}
	for line := range strings.Lines(list) {
		if fields := strings.Fields(line); len(fields) > 1 && !strings.HasPrefix(line, "#") {
			families[fields[0]] = fields[1:]
		}
	}
	return families
}

// Architectures by EC2's names.
const (
	X86   = "x86_64"
	ARM64 = "arm64"
)

// gravitonFamily matches families with AWS's own processors, or NVIDIA's Grace. Source: EC2 User Guide, "Amazon EC2
// instance type naming conventions", and "Specifications for accelerated computing instances" for p6e-gb200.
var gravitonFamily = regexp.MustCompile(`^(a1|mac2.*|mac-m.*|p6e-gb200|[a-z]+[0-9]+g[a-z]*)$`)

// Architecture returns the architecture of an instance type, or "" if there is no such type.
func Architecture(instanceType string) string {
	family, size, _ := strings.Cut(instanceType, ".")
	switch {
	case !slices.Contains(instanceTypes[family], size):
		return ""
	case gravitonFamily.MatchString(family):
		return ARM64
	}
	return X86
}

// Offers reports whether a zone offers an instance type. us-east-1e has only old hardware, which is why launching in
// "the first zones" of that region sometimes fails with EC2's Unsupported error.
func Offers(zone, instanceType string) bool {
	return Architecture(instanceType) != "" && (zone != "us-east-1e" || strings.HasPrefix(instanceType, "t2."))
}

// VCPUs returns how many vCPUs an instance type has by default, 0 if that does not follow from its name: a size of n xlarge has
// 4 n, a large one 2 (EC2 User Guide, "Instance types": Specifications). The small sizes of T3 and T4g have 2, others 1.
func VCPUs(instanceType string) int {
	family, size, _ := strings.Cut(instanceType, ".")
	if Architecture(instanceType) == "" {
		return 0
	}
	times, isXLarge := strings.CutSuffix(size, "xlarge")
	n, err := strconv.Atoi(cmp.Or(times, "1"))
	switch {
	case isXLarge && err == nil:
		return 4 * n
	case size == "large" || size == "medium" && family == "t2" || strings.HasPrefix(family, "t3") || family == "t4g":
		return 2
	case size == "medium" || size == "small" || size == "micro" || size == "nano":
		return 1
	}
	return 0
}

// All returns every instance type, by family.
func All() []string {
	var types []string
	for _, family := range slices.Sorted(maps.Keys(instanceTypes)) {
		for _, size := range instanceTypes[family] {
			types = append(types, family+"."+size)
		}
	}
	return types
}

// Zones returns the names of a region's availability zones, in order.
func Zones(region string) []string {
	known, _ := regions.Find(region)
	var names []string
	for _, letter := range known.Zones {
		names = append(names, region+string(letter))
	}
	return names
}
