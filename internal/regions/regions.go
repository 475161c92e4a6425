// Package regions lists AWS's regions and what they lack of what a stack needs.
package regions

import (
	_ "embed"
	"slices"
	"strings"
)

//go:embed regions.txt
var table string

// Updated is when the list was made: AWS has had new regions and services since.
const Updated = "7 August 2026"

// Services that a region may lack.
const (
	Pipelines   = "pipelines"   // AWS CodePipeline
	Builds      = "builds"      // AWS CodeBuild
	Connections = "connections" // creating connections, which can be used in every region of the partition
)

// Region is one region of AWS.
type Region struct {
	Name string
	// Partition is aws, aws-cn and so on; DNSSuffix is its domain.
	Partition, DNSSuffix string
	// Zones are the letters of its availability zones, or "" if they are not known.
	Zones string

	lacks []string
}

// Has reports whether the region has a service.
func (r Region) Has(service string) bool { return !slices.Contains(r.lacks, service) }

var all = parse(table)

func parse(table string) []Region {
	var regions []Region
	var partition, suffix string
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || fields[0] == "#":
		case fields[0] == "partition":
			partition, suffix = fields[1], fields[2]
		default:
			r := Region{Name: fields[0], Partition: partition, DNSSuffix: suffix, Zones: strings.TrimPrefix(fields[1], "?")}
			if len(fields) > 2 {
				r.lacks = fields[3:]
			}
			regions = append(regions, r)
		}
	}
	return regions
}

// All returns every region.
func All() []Region { return slices.Clone(all) }

// Find returns the region of this name.
func Find(name string) (Region, bool) {
	i := slices.IndexFunc(all, func(r Region) bool { return r.Name == name })
	if i < 0 {
		return Region{}, false
	}
	return all[i], true
}

// With returns the names of a partition's regions that have a service.
func With(partition, service string) []string {
	var names []string
	for _, r := range all {
		if r.Partition == partition && r.Has(service) {
			names = append(names, r.Name)
		}
	}
	return names
}
