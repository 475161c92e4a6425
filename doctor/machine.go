package doctor

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cicd/operations"
)

// ownZones is how many zones the stack's own network has a subnet in (infra/target_network.go).
const ownZones = 2

// findMachine looks where the instance type is offered, and for which architecture it is.
func findMachine(ctx context.Context, s *subject) ([]Finding, error) {
	needs, err := s.aws("instanceType", "subnetIds")
	if err != nil {
		return nil, err
	}
	machines, err := operations.OpenMachines(ctx, s.where())
	if err != nil {
		return nil, err
	}
	offering, err := machines.Zones(ctx, needs.InstanceType)
	if err != nil {
		return nil, err
	}
	if len(offering) == 0 {
		return []Finding{{Severity: Error, Message: fmt.Sprintf("%s does not offer %s", s.where().Region, needs.InstanceType), Remedy: "Choose another `instanceType`, or another region."}}, nil
	}
	machine, err := machines.Machine(ctx, needs.InstanceType)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	if !slices.Contains(machine.Architectures, string(needs.Architecture)) {
		findings = append(findings, Finding{Severity: Error, Message: fmt.Sprintf("%s is for %s, and images are built for %s", needs.InstanceType, strings.Join(machine.Architectures, " and "), needs.Architecture),
			Remedy: "Choose another `instanceType`."})
	}
	place, err := findPlace(ctx, s, machines, needs.InstanceType, needs.SubnetIDs, offering)
	return append(findings, place...), err
}

// findPlace looks whether the host's zone offers its type: that of the host that is there, of the subnets that the settings name,
// or any two for a network of the stack's own.
func findPlace(ctx context.Context, s *subject, machines *operations.Machines, instanceType string, subnets, offering []string) ([]Finding, error) {
	zones := strings.Join(offering, ", ")
	if len(subnets) > 0 {
		of, err := machines.SubnetZones(ctx, subnets)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(subnets, func(id string) bool { return slices.Contains(offering, of[id]) }) {
			return nil, nil
		}
		return []Finding{{Severity: Error, Message: fmt.Sprintf("no zone of subnetIds offers %s; %s do", instanceType, zones), Remedy: "Name a subnet in one of those, or choose another `instanceType`."}}, nil
	}
	instances, err := machines.Instances(ctx)
	if err != nil {
		return nil, err
	}
	for _, host := range instances {
		if host.Own && !slices.Contains(offering, host.Zone) {
			return []Finding{{Severity: Error, Message: fmt.Sprintf("zone %s, where host %s is, does not offer %s; %s do", host.Zone, host.ID, instanceType, zones),
				Remedy: "Choose another `instanceType`, or destroy the stack and make it anew."}}, nil
		}
	}
	if len(offering) < ownZones {
		return []Finding{{Severity: Error, Message: fmt.Sprintf("only zone %s of %s offers %s, and the network needs %d", zones, s.where().Region, instanceType, ownZones),
			Remedy: "Choose another `instanceType`, or another region."}}, nil
	}
	return nil, nil
}

// standardTypes are those that the quota "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances" counts.
var standardTypes = regexp.MustCompile(`^([acdhmrtz]|i[ms]?)[0-9]`)

const (
	standardQuota = "L-1216C47A" // EC2 User Guide, "On-Demand Instance quotas"
	addressQuota  = "L-0263D0A3" // VPC User Guide, "Amazon VPC quotas": EC2-VPC Elastic IPs
)

// findVCPUs looks whether the account may run the host beside what it runs already.
func findVCPUs(ctx context.Context, s *subject) ([]Finding, error) {
	needs, err := s.aws("instanceType")
	if err != nil {
		return nil, err
	}
	if !standardTypes.MatchString(needs.InstanceType) {
		return nil, fmt.Errorf("the quota for %s is one that doctor does not know\nTo do: look for its family among EC2's, in the console of Service Quotas", needs.InstanceType)
	}
	machines, err := operations.OpenMachines(ctx, s.where())
	if err != nil {
		return nil, err
	}
	machine, err := machines.Machine(ctx, needs.InstanceType)
	if err != nil {
		return nil, err
	}
	instances, err := machines.Instances(ctx)
	if err != nil {
		return nil, err
	}
	used := 0
	for _, i := range instances {
		if !i.Own && !i.Spot && standardTypes.MatchString(i.Type) {
			used += i.VCPUs
		}
	}
	quota, err := s.quota(ctx, "ec2", standardQuota)
	if err != nil || float64(used+machine.VCPUs) <= quota.Value {
		return nil, err
	}
	return []Finding{{Severity: Error, Message: fmt.Sprintf("%s needs %d vCPUs; the account has %d in use, and may use %g", needs.InstanceType, machine.VCPUs, used, quota.Value),
		Remedy: s.increase(quota, used+machine.VCPUs)}}, nil
}

// findAddresses looks whether the account may have one more Elastic IP, unless the stack has its own already.
func findAddresses(ctx context.Context, s *subject) ([]Finding, error) {
	if _, err := s.aws(); err != nil {
		return nil, err
	}
	machines, err := operations.OpenMachines(ctx, s.where())
	if err != nil {
		return nil, err
	}
	count, own, err := machines.Addresses(ctx)
	if err != nil || own {
		return nil, err
	}
	quota, err := s.quota(ctx, "ec2", addressQuota)
	if err != nil || float64(count+1) <= quota.Value {
		return nil, err
	}
	return []Finding{{Severity: Error, Message: fmt.Sprintf("the stack needs an Elastic IP; the account has %d, and may have %g", count, quota.Value),
		Remedy: "Release one that nothing uses, or: " + s.increase(quota, count+1)}}, nil
}

// findBuilds looks how many builds the account may run at a time: a new one may run none, or one (F15).
func findBuilds(ctx context.Context, s *subject) ([]Finding, error) {
	needs, err := s.aws("instanceType")
	if err != nil {
		return nil, err
	}
	quotas, err := operations.OpenQuotas(ctx, s.where())
	if err != nil {
		return nil, err
	}
	// The manual has names, and no codes (CodeBuild User Guide, "Quotas for AWS CodeBuild").
	quota, err := quotas.ByName(ctx, "codebuild", "Concurrently running builds for "+needs.BuildPlace+" environment")
	switch {
	case err != nil || quota.Value > 1:
		return nil, err
	case quota.Value == 1:
		return []Finding{{Severity: Warning, Message: fmt.Sprintf("the account may run one build on %s at a time, so the stacks' builds wait for one another, or fail", needs.BuildPlace), Remedy: s.increase(quota, 2)}}, nil
	}
	return []Finding{{Severity: Error, Message: fmt.Sprintf("the account may run no build on %s", needs.BuildPlace), Remedy: s.increase(quota, 1)}}, nil
}

// quota returns one of the account's limits.
func (s *subject) quota(ctx context.Context, service, code string) (operations.Quota, error) {
	quotas, err := operations.OpenQuotas(ctx, s.where())
	if err != nil {
		return operations.Quota{}, err
	}
	return quotas.ByCode(ctx, service, code)
}

// increase says how to ask for a higher limit.
func (s *subject) increase(quota operations.Quota, value int) string {
	return fmt.Sprintf("`aws service-quotas request-service-quota-increase --service-code %s --quota-code %s --desired-value %d --region %s`.",
		quota.Service, quota.Code, value, s.where().Region)
}
