package world

import (
	"encoding/json"
	"fmt"

	"cicd/automation"
	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/provider"
)

// This file is about what a stack uses and does not declare, or declares and a rehearsal does not know.

// trustedFile names the resource types that a rehearsal accepts unchecked, see provider.LoadTrusted.
const trustedFile = "rehearsal.yaml"

// existingNetworks is the network that the stack's configuration names, as it has to be for the stack to work: its subnets
// are in the VPC, in different zones, and have a route to the internet.
func existingNetworks(config automation.Config) []provider.ExistingNetwork {
	vpc := config.Values[config.Project+":vpcId"]
	var ids []string
	if err := json.Unmarshal([]byte(config.Values[config.Project+":subnetIds"]), &ids); vpc == "" || err != nil {
		return nil // CheckConfig accepts both or neither
	}
	region := config.Values["aws:region"]
	network := provider.ExistingNetwork{VPC: vpc, CIDR: "10.0.0.0/16", Gateway: "igw-0rehearsal0000000"}
	for i, id := range ids {
		network.Subnets = append(network.Subnets, provider.ExistingSubnet{
			ID: id, CIDR: fmt.Sprintf("10.0.%d.0/24", i), Zone: region + string(rune('a'+i%3)),
		})
	}
	network.Tables = []provider.ExistingRouteTable{{ID: "rtb-0rehearsal0000000", Main: true, Default: network.Gateway}}
	return []provider.ExistingNetwork{network}
}

// tellTrusted says what of the stack a rehearsal cannot check.
func (w *World) tellTrusted() {
	for _, r := range w.cloud.provider.Trusted() {
		w.cloud.report.remark(fmt.Sprintf("taken on trust, as %s says: %s %q", trustedFile, r.Type, r.Name))
	}
	for _, r := range w.cloud.account.ByType(account.RolePolicyAttachment) {
		w.cloud.report.remark(fmt.Sprintf("not rehearsed: what %s lets the application do in AWS", r.String("policyArn")))
	}
}
