package infra

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"cicd/internal/regions"
)

// checkRegion returns what is wrong with a region: it must exist and have what a pipeline needs.
func checkRegion(name string) string {
	region, ok := regions.Find(name)
	switch {
	case name == "":
		return "want an AWS region, such as eu-central-1"
	case !ok:
		return fmt.Sprintf("want an AWS region; there was none of this name on %s%s", regions.Updated, didYouMean(name, regionNames()))
	case !region.Has(regions.Pipelines):
		return "AWS CodePipeline is not offered there: " + another(region)
	case !region.Has(regions.Builds):
		return "AWS CodeBuild is not offered there: " + another(region)
	case len(regions.With(region.Partition, regions.Connections)) == 0:
		return "AWS has no connections to GitHub in this part of its cloud (" + region.Partition + "), so no pipeline can read the repository"
	}
	return ""
}

// another suggests a region of the same partition that has everything: the one whose name is most like this one's.
func another(region regions.Region) string {
	offered := regions.With(region.Partition, regions.Connections)
	if len(offered) == 0 {
		return "want a region of another partition, such as eu-central-1"
	}
	return "want another region, such as " + neighbor(region.Name, offered)
}

// neighbor returns the region whose name is most like this one's, if possible one on the same continent.
func neighbor(name string, offered []string) string {
	continent, _, _ := strings.Cut(name, "-")
	near := slices.DeleteFunc(slices.Clone(offered), func(other string) bool { return !strings.HasPrefix(other, continent+"-") })
	if len(near) == 0 {
		near = offered
	}
	return slices.MinFunc(near, func(a, b string) int {
		return levenshtein.Distance(name, a, nil) - levenshtein.Distance(name, b, nil)
	})
}

// checkConnection returns what is wrong with the lack of a connection in a region: they cannot be created everywhere,
// but one serves every region of its partition (Developer Tools console User Guide, "What are connections?").
func checkConnection(name, connection string) string {
	region, _ := regions.Find(name)
	if checkRegion(name) != "" || checkConnectionArn(connection) != "" {
		return "" // reported already
	}
	offered := regions.With(region.Partition, regions.Connections)
	if connection == "" && !region.Has(regions.Connections) {
		return fmt.Sprintf("is required in %s, where no connection can be created: create one in %s and give its ARN here",
			name, neighbor(name, offered))
	}
	return ""
}

func regionNames() []string {
	var names []string
	for _, region := range regions.All() {
		if !strings.HasPrefix(region.Partition, "aws-iso") { // few people mean one of those
			names = append(names, region.Name)
		}
	}
	return names
}
