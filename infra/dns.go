package infra

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// recordTTL is how many seconds resolvers may keep the host's address. It is short, because a change of the address,
// after a stack was made anew, would otherwise hide the application for that long.
const recordTTL = 60

// DomainArgs configures a Domain.
type DomainArgs struct {
	// Name is the domain, and ZoneID the hosted zone that holds it.
	Name, ZoneID string
	// Address is the host's Elastic IP.
	Address pulumi.StringInput
}

func (a *DomainArgs) validate() error {
	if a.Name == "" || a.ZoneID == "" || a.Address == nil {
		return errors.New("a Name, a ZoneID and an Address are required")
	}
	return nil
}

// Domain is the record by which visitors, and the CA of the domain's certificate, find the host.
type Domain struct {
	pulumi.ResourceState

	// ready must exist before the first release, see Target: the CA checks the domain as soon as the host answers for
	// it.
	ready []pulumi.Resource
}

// NewDomain registers a Domain and its children, whose names start with name.
func NewDomain(ctx *pulumi.Context, name string, args *DomainArgs, opts ...pulumi.ResourceOption) (*Domain, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("domain %q: %w", name, err)
	}
	d := &Domain{}
	inputs := pulumi.Map{"name": pulumi.String(args.Name), "hostedZoneId": pulumi.String(args.ZoneID)}
	if err := ctx.RegisterComponentResourceV2(typeDomain, name, inputs, d, opts...); err != nil {
		return nil, fmt.Errorf("domain %q: %w", name, err)
	}
	// Without allowOverwrite: a record that somebody else made stops the update, instead of leading their visitors
	// here.
	record, err := route53.NewRecord(ctx, name+"-domain", &route53.RecordArgs{
		ZoneId:  pulumi.String(args.ZoneID),
		Name:    pulumi.String(args.Name),
		Type:    pulumi.String("A"),
		Ttl:     pulumi.Int(recordTTL),
		Records: pulumi.StringArray{args.Address},
	}, pulumi.Parent(d))
	if err != nil {
		return nil, fmt.Errorf("domain %q: record: %w", name, err)
	}
	d.ready = []pulumi.Resource{record}
	return d, ctx.RegisterResourceOutputs(d, pulumi.Map{})
}

// newRecord registers the stack's Domain, if it has a zone, and returns what must exist before the first release.
func newRecord(ctx *pulumi.Context, name string, s settings, target *Target, opts ...pulumi.ResourceOption) ([]pulumi.Resource, error) {
	if s.HostedZoneID == "" {
		return nil, nil
	}
	domain, err := NewDomain(ctx, name, &DomainArgs{Name: s.Domain, ZoneID: s.HostedZoneID, Address: target.PublicIP}, opts...)
	if err != nil {
		return nil, err
	}
	return domain.ready, nil
}

// lookUpZone returns what makes the settings' hosted zone unfit for the domain's record, or "".
func lookUpZone(ctx *pulumi.Context, s settings, provider pulumi.InvokeOption) string {
	if s.HostedZoneID == "" {
		return ""
	}
	zone, err := route53.LookupZone(ctx, &route53.LookupZoneArgs{ZoneId: &s.HostedZoneID}, provider)
	switch {
	case err != nil:
		return fmt.Sprintf("%s cannot be read: %s", s.HostedZoneID, oneLine(err))
	case zone.PrivateZone != nil && *zone.PrivateZone:
		return fmt.Sprintf("%s is a private zone, which neither visitors nor the CA can ask: want the public one of %s", s.HostedZoneID, zone.Name)
	case s.Domain != zone.Name && !strings.HasSuffix(s.Domain, "."+zone.Name):
		return fmt.Sprintf("%s is the zone of %s, which does not hold %s: want the zone of that domain, or of one above it", s.HostedZoneID, zone.Name, s.Domain)
	}
	return ""
}
