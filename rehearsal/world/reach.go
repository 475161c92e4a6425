package world

import (
	"fmt"
	"maps"
	"slices"

	"cicd/internal/urlport"
	"cicd/rehearsal/aws/ec2"
)

// warnOfPorts warns of each variable of the application with a URL to a port that the declared network does not let the
// host connect to. A rehearsal's containers would reach it all the same.
func (c *cloud) warnOfPorts(variables map[string]string) error {
	instances, err := ec2.Instances(c.account)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		port := urlport.Of(variables[name])
		closed := func(i ec2.Instance) bool { return ec2.Outbound(c.account, i, port) != nil }
		if port != 0 && slices.ContainsFunc(instances, closed) {
			c.report.remark(fmt.Sprintf("warning: %s has a URL with port %d, which the security group does not let out: add %d to egressPorts", name, port, port))
		}
	}
	return nil
}
