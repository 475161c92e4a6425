package provider

import (
	"fmt"
	"net/netip"
	"strings"

	"cicd/rehearsal/aws/account"
)

// ExistingZone is a hosted zone of Route 53 that was there before the stack, without records of its own.
type ExistingZone struct {
	// ID is its id, such as Z0123456789ABCDEFGHIJ, and Name its domain, without a final dot.
	ID, Name string
	// Private is set for a zone that only VPCs can ask.
	Private bool
}

func (z ExistingZone) record(acct *account.Account) {
	acct.AddExisting(account.Resource{Type: account.HostedZone, Name: z.Name, ID: z.ID, Properties: values{"name": z.Name, "privateZone": z.Private}})
}

// nameKinds are records of hosted zones. A change waits until all of Route 53's servers have it: the provider does too.
var nameKinds = map[string]kind{
	account.Record: {
		source: "later:route53/record.go",
		inputs: schema{
			"zoneId":         text().need().names(named(account.HostedZone, "id", "NoSuchHostedZone: No hosted zone found with ID: %s")).replaces().at(325),
			"name":           text().need().same(sameName).replaces().at(270),
			"type":           text().need().rule(checkRecordType).at(298),
			"ttl":            number().length(0, maxTTL).at(292),
			"records":        set(text()).length(1, maxValues).at(282),
			"allowOverwrite": flag().keeps(nil).at(95),
		},
		check:  checkRecord,
		verify: verifyRecord,
		id: func(c *call) string {
			return strings.Join([]string{c.in.text("zoneId"), strings.ToLower(c.in.text("name")), c.in.text("type")}, "_")
		},
		computed: map[string]output{"fqdn": func(c *call) any { return c.recordName() }},
	},
}

const (
	maxTTL    = 1<<31 - 1 // API Reference, ResourceRecordSet, TTL
	maxValues = 400       // Developer Guide, "Quotas": values in a record
)

// checkRecordType takes A records alone, of the types that Route 53 knows (API Reference, ResourceRecordSet, Type).
func checkRecordType(v any) string {
	if v != "A" {
		return fmt.Sprintf("the rehearsal knows records of type A alone, got %v: nothing here would ask for others", v)
	}
	return ""
}

// checkRecord has the rules across properties, of the provider (ExactlyOneOf, RequiredWith) and of Route 53.
func checkRecord(c *call, r *report) {
	switch {
	case !c.in.has("records"):
		r.add("records", "one of `alias,records` must be specified; the rehearsal does not know aliases")
	case !c.in.has("ttl"):
		r.add("ttl", "InvalidInput: Missing field 'TTL' in Change with Action: CREATE")
	}
	for _, value := range c.in.texts("records") {
		if address, err := netip.ParseAddr(value); value != "" && (err != nil || !address.Is4()) {
			r.add("records", "InvalidChangeBatch: [Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '%s'']", value)
		}
	}
}

// verifyRecord rejects a name that is not in the zone, and one that has such a record. Sources: Developer Guide,
// "Troubleshooting Amazon Route 53", and the provider's resourceRecordCreate.
func verifyRecord(c *call, r *report) {
	name, zone := c.recordName(), c.related(account.HostedZone, "zoneId").String("name")
	if name != zone && !strings.HasSuffix(name, "."+zone) {
		r.add("name", "InvalidChangeBatch: [RRSet with DNS name %s. is not permitted in zone %s.]", name, zone)
	}
	for _, other := range c.acct.ByType(account.Record) {
		same := other.String("fqdn") == name && other.String("zoneId") == c.in.text("zoneId") && other.String("type") == c.in.text("type")
		if same && other.URN != string(c.urn) && !c.in.flag("allowOverwrite") {
			r.add("name", "InvalidChangeBatch: [Tried to create resource record set [name='%s.', type='%s'] but it already exists]", name, c.in.text("type"))
		}
	}
}

// recordName is the full name of a record. The provider adds the zone's to one that does not end in it, with or without
// a dot before (expandRecordName).
func (c *call) recordName() string {
	name, zone := normalName(c.in.text("name")), normalName(c.related(account.HostedZone, "zoneId").String("name"))
	switch {
	case strings.HasSuffix(name, zone):
		return name
	case name == "":
		return zone
	}
	return name + "." + zone
}

// normalName is how the provider keeps a record's name.
func normalName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

func sameName(before, after string) bool { return normalName(before) == normalName(after) }

// oneZone looks up a hosted zone. Its id alone is enough, for a private zone too. Source: terraform-provider-aws,
// internal/service/route53/zone_data_source.go, in the copy called "later:" in sources.go.
func oneZone(c *call, r *report) values {
	var found []account.Resource
	for _, zone := range c.acct.ByType(account.HostedZone) {
		named := normalName(zone.String("name")) == normalName(c.in.text("name")) && zone.Properties["privateZone"] == c.in.flag("privateZone")
		if zone.ID == c.in.text("zoneId") || named {
			found = append(found, zone)
		}
	}
	switch len(found) {
	case 0:
		r.add("", "no matching Route 53 Hosted Zone found")
		return nil
	case 1:
	default:
		r.add("", "multiple Route 53 Hosted Zones matched; use additional constraints to reduce matches to a single Route 53 Hosted Zone")
		return nil
	}
	zone, servers := found[0], []any{}
	for i, top := range []string{"com", "net", "org", "co.uk"} {
		servers = append(servers, fmt.Sprintf("ns-%d.awsdns-%02d.%s", 1+i*512, 1+i*8, top))
	}
	return values{
		"id": zone.ID, "zoneId": zone.ID, "name": zone.String("name"), "privateZone": zone.Properties["privateZone"], "arn": fmt.Sprintf("arn:%s:route53:::hostedzone/%s", partitionOf(c.region), zone.ID),
		"callerReference": "before-the-stack", "comment": "", "linkedServiceDescription": "", "linkedServicePrincipal": "", "vpcId": "",
		"nameServers": servers, "primaryNameServer": servers[0], "resourceRecordSetCount": 2 + len(c.acct.ByType(account.Record)), "tags": map[string]any{},
	}
}
