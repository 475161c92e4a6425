package provider

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"

	"cicd/rehearsal/aws/account"
)

// kind is what the stand-in knows about one resource type.
type kind struct {
	// inputs are the properties that a program may set.
	inputs schema
	// autoname says how a name is made when the program gives none; nil for types that Pulumi does not name.
	autoname *autoname
	// tagged types take tags, to which the provider adds its default tags.
	tagged bool
	// check reports violations of rules across properties. It runs before every preview and update, so it must leave
	// alone what is not known yet. Nil when the schema says it all.
	check func(c *call, r *report)
	// verify reports what AWS would refuse at create and update given what is in the account, beyond the schema's
	// references. Nil when those say it all.
	verify func(c *call, r *report)
	// unique are the properties that identify the resource in AWS; taken is the error for a second one, with a %s for
	// the last of them. Empty when AWS gives every resource an identity of its own.
	unique []string
	taken  string
	// id returns the cloud's identifier of a new resource.
	id func(c *call) string
	// computed are the outputs that are no inputs, or inputs for which AWS chooses a value when there is none.
	computed map[string]output
	// replaces decides for changes whose effect depends on other properties. Nil when the schema says it all.
	replaces func(path string, olds, news values) bool
	// dependents block a delete, with the error inUse (a %s for the id).
	dependents []dependent
	inUse      string
	// remove does what else a delete has to do, or refuses it. Nil for nothing.
	remove func(s *Server, r account.Resource) error
}

// dependent is a type and its property that holds the id of what it depends on, or a list of such ids.
type dependent struct{ token, property string }

// output computes one output property. It is called again after every update.
type output func(c *call) any

// call is one resource in the hands of the provider.
type call struct {
	*session
	server *Server
	acct   *account.Account
	urn    urn.URN
	id     string
	in     values // checked inputs, fallbacks filled in
	old    values // recorded outputs before an update, nil for a new resource
}

// known reports whether nothing in the named inputs is still to be computed.
func (c *call) known(names ...string) bool {
	return !slices.ContainsFunc(names, c.in.pending)
}

// outputs returns what the real provider would answer; at a preview, what depends on the update is unknown.
func (c *call) outputs(k kind, preview bool) values {
	out := c.in.clone()
	for name, compute := range k.computed {
		switch {
		case c.in.has(name): // AWS chooses only what the program has not
		case preview && c.old.has(name):
			out[name] = c.old[name]
		case preview:
			out[name] = unknown{}
		default:
			out[name] = compute(c)
		}
	}
	return out
}

// conflict reports a resource in the account that has the identity that this one wants.
func (c *call) conflict(k kind, r *report) {
	if len(k.unique) == 0 {
		return
	}
	same := func(other account.Resource) bool {
		return other.ID != c.id && !slices.ContainsFunc(k.unique, func(p string) bool { return other.String(p) != c.in.text(p) })
	}
	if slices.ContainsFunc(c.acct.ByType(string(c.urn.Type())), same) {
		last := k.unique[len(k.unique)-1]
		r.add(last, k.taken, c.in.text(last))
	}
}

// blocked returns the error for deleting a resource on which others depend, nil when none do.
func (k kind) blocked(acct *account.Account, r account.Resource) error {
	for _, d := range k.dependents {
		for _, other := range acct.ByType(d.token) {
			v := values(other.Properties)
			if other.URN != r.URN && (v.text(d.property) == r.ID || slices.Contains(v.texts(d.property), r.ID)) {
				return fmt.Errorf(k.inUse+" (still there: %s %q)", r.ID, d.token, other.Name)
			}
		}
	}
	return nil
}

// once keeps the value that an output was given at creation.
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

// ownAccount is the id of the account, as many types report it.
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

// globalARN returns the ARN of a resource that belongs to no region.
func (c *call) globalARN(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s::%s:%s", partitionOf(c.region), service, c.acct.ID(), resource)
}

// kinds is the closed table of resource types. Each service's file has its part.
var kinds = merge(iamKinds, networkKinds, instanceKinds, storageKinds, keyKinds, registryKinds, buildKinds, pipelineKinds,
	deployKinds, connectionKinds, topicKinds, logKinds, githubKinds)

// merge also completes the tagged kinds, so that their tables need not repeat the rules for tags.
func merge(tables ...map[string]kind) map[string]kind {
	all := map[string]kind{}
	for _, table := range tables {
		for token, k := range table {
			if k.tagged {
				k.inputs = maps.Clone(k.inputs)
				k.inputs["tags"] = tags()
				k.inputs["tagsAll"] = tags()
			}
			all[token] = k
		}
	}
	return all
}

// kindOf returns the kind with this token.
func kindOf(token string) (kind, error) {
	k, ok := kinds[token]
	if !ok {
		return kind{}, fmt.Errorf("resource type %s: the rehearsal does not know it; it knows %v", token, slices.Sorted(maps.Keys(kinds)))
	}
	return k, nil
}
