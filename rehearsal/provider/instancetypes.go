package provider

import (
	_ "embed"
	"maps"
	"regexp"
	"slices"
	"strings"
)

//go:embed instance-types.txt
var instanceTypeList string

// instanceTypes are EC2's types by family, with the sizes of each.
var instanceTypes = parseInstanceTypes(instanceTypeList)

// listDate is when the list was made: EC2 has had new types since.
const listDate = "7 August 2026"

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
	architectureX86 = "x86_64"
	architectureARM = "arm64"
)

// gravitonFamily matches families with AWS's own processors, or NVIDIA's Grace. Source: EC2 User Guide, "Amazon EC2
// instance type naming conventions", and "Specifications for accelerated computing instances" for p6e-gb200.
var gravitonFamily = regexp.MustCompile(`^(a1|mac2.*|mac-m.*|p6e-gb200|[a-z]+[0-9]+g[a-z]*)$`)

// architectureOf returns the architecture of an instance type, or "" if there is no such type.
func architectureOf(instanceType string) string {
	family, size, _ := strings.Cut(instanceType, ".")
	switch {
	case !slices.Contains(instanceTypes[family], size):
		return ""
	case gravitonFamily.MatchString(family):
		return architectureARM
	}
	return architectureX86
}

// unoptimized matches the types that cannot be EBS-optimized and that a stack may use. Source: EC2 User Guide,
// "Amazon EBS-optimized instance types", which does not list them; a few sizes from before 2014 are not listed either.
var unoptimized = regexp.MustCompile(`^t[12]\.`)

// offers reports whether a zone offers an instance type. us-east-1e has only old hardware, which is why launching in
// "the first zones" of that region sometimes fails with EC2's Unsupported error.
func offers(zone, instanceType string) bool {
	return architectureOf(instanceType) != "" && (zone != "us-east-1e" || strings.HasPrefix(instanceType, "t2."))
}

// typesMatching returns the instance types that EC2's filters admit.
func typesMatching(filters []values) []string {
	var types []string
	for _, family := range slices.Sorted(maps.Keys(instanceTypes)) {
		for _, size := range instanceTypes[family] {
			if admits(filters, map[string][]string{"instance-type": {family + "." + size}}) {
				types = append(types, family+"."+size)
			}
		}
	}
	return types
}
