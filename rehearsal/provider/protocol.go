package provider

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"cicd/rehearsal/aws/account"
)

// endpoint serves one of the two plugins. It implements what the engine needs for programs in Go.
type endpoint struct {
	pulumirpc.UnimplementedResourceProviderServer
	*Server
	name string
}

// versions are those of the SDKs in go.mod, see sources.go.
var versions = map[string]string{"aws": "6.83.4", "github": "6.14.1"}

func (p *endpoint) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: versions[p.name]}, nil
}

func (p *endpoint) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: fmt.Sprintf(`{"name":%q,"version":%q}`, p.name, versions[p.name])}, nil
}

func (p *endpoint) Attach(context.Context, *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (p *endpoint) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil // nothing here runs long enough to cancel
}

func (p *endpoint) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	inputs, r := fromWire(req.GetNews()), &report{}
	checkConfiguration(p.name, inputs, r)
	return &pulumirpc.CheckResponse{Inputs: req.GetNews(), Failures: r.failures()}, nil
}

// DiffConfig never replaces a provider: that would replace every resource, and a rehearsal starts from nothing.
func (p *endpoint) DiffConfig(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	c := changes{}
	configurations[p.name].compare(fromWire(req.GetOldInputs()), fromWire(req.GetNews()), "", false, c)
	return c.response(), nil
}

func (p *endpoint) Configure(ctx context.Context, req *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	inputs, r := fromWire(req.GetArgs()), &report{}
	checkConfiguration(p.name, inputs, r)
	if err := r.err(); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "configure %s: %v", p.name, err)
	}
	sessionOf(ctx).configure(inputs)
	if p.name == "aws" && len(p.options.Account.All()) == 0 {
		p.options.Account.SetRegion(inputs.text("region"))
	}
	// Without AcceptSecrets the engine unwraps secret inputs, and marks the outputs of the same names as secret.
	return &pulumirpc.ConfigureResponse{SupportsPreview: true}, nil
}

func sessionOf(ctx context.Context) *session { return ctx.Value(sessionKey{}).(*session) }

// call returns the state for a request about a resource, with the defaults of its inputs filled in.
func (p *endpoint) call(ctx context.Context, k kind, u urn.URN, inputs values) *call {
	in := inputs.clone()
	delete(in, defaulted)
	return &call{session: sessionOf(ctx), server: p.Server, acct: p.options.Account, urn: u, in: k.inputs.withFallbacks(in)}
}

func (p *endpoint) Check(ctx context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	u := urn.URN(req.GetUrn())
	k, err := p.kindOf(string(u.Type()))
	if err != nil {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	news, r := fromWire(req.GetNews()), &report{}
	if k.autoname != nil {
		k.autoname.apply(news, fromWire(req.GetOlds()), u.Name(), req.GetRandomSeed(), r)
	}
	if k.tagged {
		sessionOf(ctx).addDefaultTags(news)
	}
	c := p.call(ctx, k, u, news)
	if !k.trusted {
		k.inputs.validate(c.in, "", r)
	}
	c.in = k.inputs.withKept(c.in, nil)
	if k.check != nil {
		k.check(c, r)
	}
	inputs, err := toWire(news)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CheckResponse{Inputs: inputs, Failures: r.failures()}, nil
}

func (p *endpoint) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	k, err := p.kindOf(string(urn.URN(req.GetUrn()).Type()))
	if err != nil {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	// The real provider compares the new inputs with the state, which also has what AWS chose.
	olds, news := k.inputs.withKept(fromWire(req.GetOldInputs()), fromWire(req.GetOlds())), fromWire(req.GetNews())
	response := k.compare(olds, news).response()
	response.DeleteBeforeReplace = len(response.Replaces) > 0 && (k.deleteFirst || k.autoname != nil && k.autoname.needsOldName(olds, news))
	return response, nil
}

func (p *endpoint) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	u := urn.URN(req.GetUrn())
	k, err := p.kindOf(string(u.Type()))
	if err != nil {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	c := p.call(ctx, k, u, fromWire(req.GetProperties()))
	c.in = k.inputs.withKept(c.in, nil)
	if req.GetPreview() {
		out, err := toWire(c.outputs(k, true))
		return &pulumirpc.CreateResponse{Properties: out}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := c.verify(k); err != nil {
		return nil, status.Errorf(codes.FailedPrecondition, "creating %s: %v", describe(u), err)
	}
	c.id = k.id(c)
	out, err := p.record(c, k)
	if err != nil {
		return nil, status.Errorf(codes.FailedPrecondition, "creating %s: %v", describe(u), err)
	}
	return &pulumirpc.CreateResponse{Id: c.id, Properties: out}, nil
}

func (p *endpoint) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	u := urn.URN(req.GetUrn())
	k, err := p.kindOf(string(u.Type()))
	if err != nil {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	c := p.call(ctx, k, u, fromWire(req.GetNews()))
	c.id, c.old = req.GetId(), fromWire(req.GetOlds())
	if req.GetPreview() {
		c.in = k.inputs.withKept(c.in, c.old)
		out, err := toWire(c.outputs(k, true))
		return &pulumirpc.UpdateResponse{Properties: out}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	recorded, ok := p.find(u, req.GetId())
	if !ok {
		return nil, status.Errorf(codes.NotFound, "updating %s: %s is not in the rehearsed account", describe(u), req.GetId())
	}
	c.old = recorded.Properties
	c.in = k.inputs.withKept(c.in, c.old)
	if err := c.verify(k); err != nil {
		return nil, status.Errorf(codes.FailedPrecondition, "updating %s: %v", describe(u), err)
	}
	out, err := p.record(c, k)
	if err != nil {
		return nil, status.Errorf(codes.FailedPrecondition, "updating %s: %v", describe(u), err)
	}
	if recorded.URN != string(u) { // changed by an alias
		p.options.Account.Delete(recorded.URN, recorded.ID)
	}
	return &pulumirpc.UpdateResponse{Properties: out}, nil
}

// verify reports what AWS would reject now that everything is known.
func (c *call) verify(k kind) error {
	r := &report{}
	c.conflict(k, r)
	if c.region != "" && c.region != c.acct.Region() {
		r.add("", "the provider is configured for %s: one rehearsal has one region, and this one is in %s", c.region, c.acct.Region())
	}
	if !k.trusted {
		k.inputs.resolve(c.in, "", c.acct, r)
	}
	if k.verify != nil {
		k.verify(c, r)
	}
	return r.err()
}

// Read answers from the account, which is the only state: there is no drift.
func (p *endpoint) Read(_ context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	u := urn.URN(req.GetUrn())
	k, err := p.kindOf(string(u.Type()))
	if err != nil {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	r, ok := p.find(u, req.GetId())
	if !ok {
		return &pulumirpc.ReadResponse{}, nil // no id: the resource is gone
	}
	out, err := toWire(r.Properties)
	if err != nil {
		return nil, err
	}
	inputs := req.GetInputs()
	if len(inputs.GetFields()) == 0 { // an import
		inputs, err = toWire(k.inputs.pick(r.Properties))
	}
	return &pulumirpc.ReadResponse{Id: r.ID, Properties: out, Inputs: inputs}, err
}

func (p *endpoint) Delete(_ context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	u := urn.URN(req.GetUrn())
	k, err := p.kindOf(string(u.Type()))
	if err != nil {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.find(u, req.GetId())
	if !ok {
		return &emptypb.Empty{}, nil // already gone
	}
	err = k.blocked(p.options.Account, r)
	if err == nil && k.remove != nil {
		err = k.remove(p.Server, r)
	}
	if err != nil {
		return nil, status.Errorf(codes.FailedPrecondition, "deleting %s: %v", describe(u), err)
	}
	p.options.Account.Delete(r.URN, r.ID)
	return &emptypb.Empty{}, nil
}

// record does what is to do beside it, adds the resource to the account and returns its outputs.
func (p *endpoint) record(c *call, k kind) (*structpb.Struct, error) {
	if k.apply != nil {
		var err error
		if c.applied, err = k.apply(c); err != nil {
			return nil, err
		}
	}
	out := c.outputs(k, false)
	p.options.Account.Put(account.Resource{Type: string(c.urn.Type()), Name: c.urn.Name(), URN: string(c.urn), ID: c.id, Properties: out})
	return toWire(out)
}

// find returns the recorded resource with this type and id, and preferably this URN: objects of two buckets, and a
// resource that an alias renames.
func (p *endpoint) find(u urn.URN, id string) (found account.Resource, ok bool) {
	for _, r := range p.options.Account.ByType(string(u.Type())) {
		if r.ID == id && (!ok || r.URN == string(u)) {
			found, ok = r, true
		}
	}
	return found, ok
}

// pick returns the properties that are in the schema.
func (s schema) pick(v map[string]any) values {
	out := values(maps.Clone(v))
	maps.DeleteFunc(out, func(name string, _ any) bool { _, ok := s[name]; return !ok })
	return out
}

// describe names a resource in an error by the last part of its type and its logical name.
func describe(u urn.URN) string {
	token := string(u.Type())
	return fmt.Sprintf("%s %q", token[strings.LastIndex(token, ":")+1:], u.Name())
}
