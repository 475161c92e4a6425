package automation

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// provider is a resource provider for "test:index:Thing" resources. A Thing whose property "fails" is set fails with
// its value; one with "waits" becomes ready only when the test says so.
type provider struct {
	pulumirpc.UnimplementedResourceProviderServer

	resized  float64       // the size that somebody has given every Thing, 0 for nobody
	creating chan struct{} // receives while a Thing that waits is being created
	ready    chan struct{} // makes one waiting Thing ready
}

// startProvider serves a new provider, and returns it with the environment that makes the engine use it.
func startProvider(t *testing.T) (*provider, map[string]string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{creating: make(chan struct{}, 10), ready: make(chan struct{}, 10)}
	server := grpc.NewServer()
	pulumirpc.RegisterResourceProviderServer(server, p)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return p, map[string]string{"PULUMI_DEBUG_PROVIDERS": fmt.Sprintf("test:%d", listener.Addr().(*net.TCPAddr).Port)}
}

func (p *provider) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	properties := req.GetProperties().GetFields()
	if properties["waits"].GetBoolValue() {
		p.creating <- struct{}{}
		select {
		case <-p.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if message := properties["fails"].GetStringValue(); message != "" {
		return nil, errors.New(message)
	}
	return &pulumirpc.CreateResponse{Id: "id-of-" + req.GetName(), Properties: req.GetProperties()}, nil
}

func (p *provider) Attach(context.Context, *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (p *provider) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "1.0.0"}, nil
}

func (p *provider) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: req.GetNews()}, nil
}

func (p *provider) DiffConfig(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
}

func (p *provider) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return &pulumirpc.ConfigureResponse{}, nil
}

func (p *provider) Check(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: req.GetNews()}, nil
}

// Diff replaces a Thing whose "size" has changed.
func (p *provider) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	if size(req.GetOldInputs()) == size(req.GetNews()) {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
	}
	return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_SOME, Replaces: []string{"size"}}, nil
}

// Read finds what Create has made, or what somebody has made of it.
func (p *provider) Read(_ context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	state, inputs := req.GetProperties(), req.GetInputs()
	if p.resized != 0 {
		state, inputs = proto.CloneOf(state), proto.CloneOf(inputs)
		for _, s := range []*structpb.Struct{state, inputs} {
			s.Fields["size"] = structpb.NewNumberValue(p.resized)
		}
	}
	return &pulumirpc.ReadResponse{Id: req.GetId(), Properties: state, Inputs: inputs}, nil
}

func size(s *structpb.Struct) float64 { return s.GetFields()["size"].GetNumberValue() }

func (p *provider) Delete(context.Context, *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// thing declares a Thing.
func thing(ctx *pulumi.Context, name string, properties pulumi.Map) error {
	var r pulumi.CustomResourceState
	return ctx.RegisterResource("test:index:Thing", name, properties, &r)
}
