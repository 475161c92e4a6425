package provider

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"

	"cicd/rehearsal/aws/account"
)

// kind is what the stand-in knows about a resource type.
type kind struct {
	// source is the file of the real provider that declares the type, see sources.go.
	source string
	// trusted types are accepted with any inputs, see trustedKind.
	trusted bool
	// inputs are the properties that a program may set.
	inputs schema
	// autoname says how to generate a name if the program gives none; nil for types that Pulumi does not name.
	autoname *autoname
	// tagged types accept tags, to which the provider adds its default tags.
	tagged bool
	// check reports violations of rules across properties. It runs before every preview and update, so it must ignore
	// unknown values. Nil if the schema covers everything.
	check func(c *call, r *report)
	// verify reports what AWS would reject on create and update given the contents of the account, beyond the
	// schema's references. Nil if those cover everything.
	verify func(c *call, r *report)
	// unique are the properties that identify the resource in AWS; taken is the error for a duplicate, with a %s for
	// the last of them. Empty if AWS generates the identity.
	unique []string
	taken  string
	// anyCase identities that differ by case alone are the same.
	anyCase bool
	// id returns a new resource's id in the cloud.
	id func(c *call) string
	// apply does what a creation or an update does beside recording it, and returns what came of it for the outputs, see
	// call.applied. Nil if there is nothing to do.
	apply func(c *call) (values, error)
	// computed are the outputs that are not inputs, and inputs for which AWS chooses a value if there is none.
	computed map[string]output
	// renews reports whether an update changes a computed output, so that its preview does not know it. Nil for never.
	renews func(c *call, name string) bool
	// deleteFirst types cannot exist twice: a replacement deletes the old resource before it creates the new one.
	deleteFirst bool
	// replaces decides on changes whose effect depends on other properties. Nil if the schema covers everything.
	replaces func(path string, olds, news values) bool
	// dependents block deletion, with the error inUse (a %s for the id).
	dependents []dependent
	inUse      string
	// remove does the rest of a deletion, or refuses it. Nil if there is nothing to do.
	remove func(s *Server, r account.Resource) error
}

// dependent is a type, and its property that holds the id, or a list of ids, of what it depends on. inUse is its error,
// if it is not the kind's.
type dependent struct{ token, property, inUse string }

// output computes an output property. It is called again after every update.
type output func(c *call) any

// call is one request about one resource.
type call struct {
	*session
	server *Server
	acct   *account.Account
	urn    urn.URN
	id     string
	in     values // checked inputs, with fallbacks
	old    values // recorded outputs before an update, nil for a new resource
	// applied is what came of the kind's apply.
	applied values
}

// known reports whether the named inputs contain nothing unknown.
func (c *call) known(names ...string) bool {
	return !slices.ContainsFunc(names, c.in.pending)
}

// outputs returns what the real provider would; in a preview, what depends on the update is unknown.
func (c *call) outputs(k kind, preview bool) values {
	out := c.in.clone()
	for name, compute := range k.computed {
		switch {
		case c.in.has(name) && !k.trusted: // AWS chooses only what the program does not set
		case preview && c.old.has(name) && (k.renews == nil || !k.renews(c, name)):
			out[name] = c.old[name]
		case preview:
			out[name] = unknown{}
		default:
			out[name] = compute(c)
		}
	}
	return out
}

// conflict reports a resource in the account that already has this one's identity.
func (c *call) conflict(k kind, r *report) {
	if len(k.unique) == 0 {
		return
	}
	same := func(other account.Resource) bool {
		return other.ID != c.id && !slices.ContainsFunc(k.unique, func(p string) bool {
			if k.anyCase {
				return !strings.EqualFold(other.String(p), c.in.text(p))
			}
			return other.String(p) != c.in.text(p)
		})
	}
	if slices.ContainsFunc(c.acct.ByType(string(c.urn.Type())), same) {
		last := k.unique[len(k.unique)-1]
		r.add(last, k.taken, c.in.text(last))
	}
}

// blocked returns the error for deleting a resource on which others depend, or nil if none do.
func (k kind) blocked(acct *account.Account, r account.Resource) error {
	for _, d := range k.dependents {
		for _, other := range acct.ByType(d.token) {
			v := values(other.Properties)
			if other.URN != r.URN && (v.text(d.property) == r.ID || slices.Contains(v.texts(d.property), r.ID)) {
				return fmt.Errorf(cmp.Or(d.inUse, k.inUse)+" (still there: %s %q)", r.ID, d.token, other.Name)
			}
		}
	}
	return nil
}

// once keeps the value that an output got at creation.
func once(name string, compute output) output {
	return func(c *call) any {
		if c.old.has(name) {
			return c.old[name]
		}
		return compute(c)
	}
}

// constant is an output that is the same for every resource of a type.
func constant(v any) output { return func(*call) any { return v } }

// ownAccount is the account's id, an output of many types.
func ownAccount(c *call) any { return c.acct.ID() }

// arnOf returns an ARN output: resource is the part after the account id, with a %s for the resource's id.
func arnOf(service, resource string) output {
	return func(c *call) any { return c.arn(service, fmt.Sprintf(resource, c.id)) }
}

// input identifies a resource by one of its inputs.
func input(name string) func(c *call) string {
	return func(c *call) string { return c.in.text(name) }
}

// arn returns the ARN of a regional resource of this account.
func (c *call) arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", partitionOf(c.region), service, c.region, c.acct.ID(), resource)
}

// globalARN returns the ARN of a resource without a region.
func (c *call) globalARN(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s::%s:%s", partitionOf(c.region), service, c.acct.ID(), resource)
}

// kinds is the closed table of resource types. Each service's file contributes its part.
var kinds = merge(iamKinds, attachmentKinds, networkKinds, instanceKinds, storageKinds, objectKinds, keyKinds, registryKinds,
	buildKinds, pipelineKinds, deployKinds, connectionKinds, topicKinds, logKinds, volumeKinds, snapshotKinds, nameKinds, githubKinds)

// merge also adds the rules for tags to tagged kinds, so that their tables need not repeat them.
func merge(tables ...map[string]kind) map[string]kind {
	all := map[string]kind{}
	for _, table := range tables {
		for token, k := range table {
			if k.tagged {
				k.inputs = maps.Clone(k.inputs)
				k.inputs["tags"] = tagsOf(token)
				k.inputs["tagsAll"] = dictionary(text()) // what tags are checked for
			}
			all[token] = k
		}
	}
	return all
}

// kindOf returns the kind for a token: one of the table, or one that is taken on trust.
func (s *Server) kindOf(token string) (kind, error) {
	if k, ok := kinds[token]; ok {
		return k, nil
	}
	if outputs, ok := s.options.Trusted[token]; ok {
		return trustedKind(outputs), nil
	}
	return kind{}, fmt.Errorf("resource type %s: the rehearsal does not know it; it knows %v. To take the type on trust, unchecked, "+
		"name it in a file rehearsal.yaml beside Pulumi.yaml, with the outputs that the program needs: %[1]s: {}", token, slices.Sorted(maps.Keys(kinds)))
}
