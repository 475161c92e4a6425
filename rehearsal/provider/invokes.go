package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"cicd/rehearsal/aws/instancetypes"
)

// function is a provider function: a query about the account or the region.
type function struct {
	inputs schema
	answer func(c *call, r *report) values
}

// secret marks a value that the real provider does: ssm.getParameter's is Sensitive whatever the parameter's type
// (terraform-provider-aws, ssm/parameter_data_source.go:39).
func secret(v any) map[string]any { return map[string]any{sig.Key: sig.Secret, "value": v} }

// functions is the closed table of provider functions.
var functions = map[string]function{
	"aws:index/getCallerIdentity:getCallerIdentity": {answer: func(c *call, _ *report) values {
		return values{
			"accountId": c.acct.ID(), "id": c.acct.ID(), "userId": "AIDAREHEARSAL0000000",
			"arn": c.globalARN("iam", "user/rehearsal"),
		}
	}},
	"aws:index/getPartition:getPartition": {answer: partition},
	"aws:index/getAvailabilityZones:getAvailabilityZones": {
		inputs: schema{
			"state":        text().oneOf("available"),
			"excludeNames": list(text()),
			"filters":      filters("opt-in-status", "zone-type", "zone-name", "region-name"),
		},
		answer: availabilityZones,
	},
	"aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": {
		inputs: schema{
			"locationType": text().oneOf("region", "availability-zone", "availability-zone-id").or("region"),
			"filters":      filters("instance-type", "location"),
		},
		answer: instanceTypeOfferings,
	},
	"aws:ec2/getSubnet:getSubnet": {inputs: schema{"id": text().need()}, answer: subnet},
	"aws:ec2/getRouteTables:getRouteTables": {
		inputs: schema{"vpcId": text(), "filters": filters("association.subnet-id", "association.main")},
		answer: routeTables,
	},
	"aws:ec2/getRouteTable:getRouteTable": {
		inputs: schema{"routeTableId": text(), "subnetId": text(), "vpcId": text(), "filters": filters("association.subnet-id", "association.main")},
		answer: oneRouteTable,
	},
	"aws:route53/getZone:getZone": {inputs: schema{"zoneId": text(), "name": text(), "privateZone": flag().or(false)}, answer: oneZone},
	"aws:ssm/getParameter:getParameter": {
		inputs: schema{"name": text().need(), "withDecryption": flag().or(true)},
		answer: func(c *call, r *report) values {
			name := c.in.text("name")
			if !imageParameter.MatchString(name) {
				r.add("name", "ParameterNotFound: %s; the rehearsal has the public parameters of Amazon Linux 2023 images", name)
			}
			image := imageOf(c.region, name)
			return values{
				"id": name, "name": name, "type": "String", "value": secret(image), "insecureValue": image, "version": 1.0,
				"withDecryption": c.in.flag("withDecryption"),
				"arn":            fmt.Sprintf("arn:%s:ssm:%s::parameter%s", partitionOf(c.region), c.region, name),
			}
		},
	},
}

// filters is the schema of EC2 filters with these names.
func filters(names ...string) property {
	return blocks(schema{"name": text().need().oneOf(names...), "values": list(text()).need().length(1, 200)})
}

func (p *endpoint) Invoke(ctx context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	f, ok := functions[req.GetTok()]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "function %s: the rehearsal does not know it; it knows %v", req.GetTok(), slices.Sorted(maps.Keys(functions)))
	}
	args, r := fromWire(req.GetArgs()), &report{}
	f.inputs.validate(args, "", r)
	if len(r.violations) > 0 {
		return &pulumirpc.InvokeResponse{Failures: r.failures()}, nil
	}
	c := &call{session: sessionOf(ctx), server: p.Server, acct: p.options.Account, in: f.inputs.withFallbacks(args)}
	answer := f.answer(c, r)
	if len(r.violations) > 0 {
		return &pulumirpc.InvokeResponse{Failures: r.failures()}, nil
	}
	maps.Copy(answer, args)
	out, err := toWire(answer)
	return &pulumirpc.InvokeResponse{Return: out}, err
}

func partition(c *call, _ *report) values {
	suffix, reverse := dnsSuffix(c.region), "com.amazonaws"
	if partitionOf(c.region) == "aws-cn" {
		reverse = "cn.com.amazonaws"
	}
	return values{"id": partitionOf(c.region), "partition": partitionOf(c.region), "dnsSuffix": suffix, "reverseDnsPrefix": reverse}
}

// admits reports whether an item with these attributes passes EC2's filters; a filter on another attribute passes.
func admits(filters []values, attributes map[string][]string) bool {
	for _, filter := range filters {
		have, ok := attributes[filter.text("name")]
		if ok && !slices.ContainsFunc(have, func(value string) bool { return slices.Contains(filter.texts("values"), value) }) {
			return false
		}
	}
	return true
}

func availabilityZones(c *call, _ *report) values {
	names, ids := []any{}, []any{}
	for _, zone := range instancetypes.Zones(c.region) {
		attributes := map[string][]string{"opt-in-status": {"opt-in-not-required"}, "zone-type": {"availability-zone"}, "zone-name": {zone}, "region-name": {c.region}}
		if admits(c.in.blocks("filters"), attributes) && !slices.Contains(c.in.texts("excludeNames"), zone) {
			names, ids = append(names, zone), append(ids, zoneID(c.region, zone))
		}
	}
	return values{"id": c.region, "names": names, "zoneIds": ids, "groupNames": []any{c.region}}
}

func instanceTypeOfferings(c *call, _ *report) values {
	locationType := c.in.text("locationType")
	types, locations, locationTypes := []any{}, []any{}, []any{}
	add := func(location, instanceType string) {
		if admits(c.in.blocks("filters"), map[string][]string{"instance-type": {instanceType}, "location": {location}}) {
			types, locations, locationTypes = append(types, instanceType), append(locations, location), append(locationTypes, locationType)
		}
	}
	for _, instanceType := range typesMatching(c.in.blocks("filters")) {
		if locationType == "region" {
			add(c.region, instanceType)
			continue
		}
		for _, zone := range instancetypes.Zones(c.region) {
			location := zone
			if locationType == "availability-zone-id" {
				location = zoneID(c.region, zone)
			}
			if instancetypes.Offers(zone, instanceType) {
				add(location, instanceType)
			}
		}
	}
	return values{"id": c.region, "instanceTypes": types, "locations": locations, "locationTypes": locationTypes}
}

// typesMatching returns the instance types that EC2's filters admit.
func typesMatching(filters []values) []string {
	return slices.DeleteFunc(instancetypes.All(), func(name string) bool {
		return !admits(filters, map[string][]string{"instance-type": {name}})
	})
}
