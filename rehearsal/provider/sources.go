package provider

// The tables of this package follow the source of the providers, property by property: what replaces the resource, what
// is kept or suppressed if it is absent, what is a set, and the defaults. Each kind names a file and each property the
// line that declares it, in one of
//
//   - https://github.com/hashicorp/terraform-provider-aws at 19f52390df48f4bbe7ec578e9d35592e7dc43eef, internal/service/.
//     pulumi-aws 6.83.4 is built on version 5.100; this is 5.43, the nearest whose whole source could be read.
//   - "later:" https://github.com/lidor-k/terraform-provider-aws at ffe1cbf2bfca816eb2be841bc88e53e82b8bd4af, a copy from
//     2025, of types that had moved to Terraform's plugin framework by then, and of types added since.
//   - "github:" https://github.com/integrations/terraform-provider-github at v6.12.1, which pulumi-github 6.14.1 is
//     built on, github/.
//
// TestTablesFollowTheirSource compares them.

// sdk is the source of properties that are newer than these.
const sdk = "https://github.com/pulumi/pulumi-aws/blob/sdk/v6.83.4/sdk/go/aws/"
