package infra

import (
	"fmt"
	"regexp"
	"slices"
)

// maxEgressPorts leaves one of a security group's 60 outbound rules to HTTPS (VPC User Guide, "Amazon VPC quotas").
const maxEgressPorts = 59

var (
	vpcPattern    = regexp.MustCompile(`^vpc-([0-9a-f]{8}|[0-9a-f]{17})$`)
	subnetPattern = regexp.MustCompile(`^subnet-([0-9a-f]{8}|[0-9a-f]{17})$`)
)

func checkEgressPorts(ports []int) string {
	if len(ports) > maxEgressPorts {
		return fmt.Sprintf("want at most %d ports", maxEgressPorts)
	}
	for i, port := range ports {
		switch problem := checkRange(port, 1, 65535); {
		case problem != "":
			return fmt.Sprintf("port %d: %s", port, problem)
		case port == 443:
			return "port 443 is open anyway: want only what is needed beside it"
		case slices.Contains(ports[:i], port):
			return fmt.Sprintf("port %d: want it once", port)
		}
	}
	return ""
}

func checkVpcID(id string) string {
	if id != "" && !vpcPattern.MatchString(id) {
		return "want the ID of an existing VPC, such as vpc-0a1b2c3d4e5f67890, or nothing for a network of the stack's own"
	}
	return ""
}

func checkSubnetIDs(ids []string) string {
	for i, id := range ids {
		if !subnetPattern.MatchString(id) {
			return fmt.Sprintf("%q: want the ID of a subnet of vpcId, such as subnet-0a1b2c3d4e5f67890", id)
		}
		if slices.Contains(ids[:i], id) {
			return fmt.Sprintf("%q: want it once", id)
		}
	}
	return ""
}
