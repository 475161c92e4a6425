// Package provider is the stand-in for the aws and github provider plugins: a server that speaks the Pulumi provider
// protocol to the real engine and records what a stack declares in an account.Account.
//
// It is strict. It refuses what AWS and the real provider refuse (names, references to things that do not exist,
// malformed policies, pipeline structure), computes outputs as the real provider does, and knows which property
// replaces a resource. It answers only for the resource types, properties and functions of its tables: a property that
// it ignored would be a yes that nobody checked.
package provider

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// maxMessage is the largest message that the Pulumi engine sends to a provider, in bytes.
// Source: pulumi/pulumi, sdk/go/common/util/rpcutil.
const maxMessage = 400 << 20

// Images is the registry behind the declared ECR repositories.
type Images interface {
	// ImageCount returns how many images a repository holds, by its name.
	ImageCount(repository string) int
	// DeleteRepository removes a repository with its images.
	DeleteRepository(repository string) error
}

// Objects is the store behind the declared S3 buckets.
type Objects interface {
	// ObjectCount returns how many object versions a bucket holds.
	ObjectCount(bucket string) int
	// EmptyBucket removes every version of every object.
	EmptyBucket(bucket string) error
}

// Options configures a Server. Every field but ExistingConnections is required.
type Options struct {
	// Account is where declared resources are recorded and references are looked up.
	Account *account.Account
	// Authority decides whether a service may assume the role that it is handed.
	Authority *iam.Authority
	// RegistryHost is the host:port of the registry, the part of a repositoryUrl before its first slash.
	RegistryHost string
	// Images and Objects are what a destroy may find in the way.
	Images  Images
	Objects Objects
	// ExistingConnections are ARNs of connections that the account has from before the stack. They are AVAILABLE.
	ExistingConnections []string
}

// Server is a running stand-in. It is safe for concurrent use.
type Server struct {
	options Options
	grpc    []*grpc.Server
	env     string

	mu sync.Mutex // held while a resource is created, updated or deleted: what was checked stays true until it is recorded
}

// Start listens on two loopback ports, one for each plugin, until Close or the end of ctx.
func Start(ctx context.Context, options Options) (*Server, error) {
	if options.Account == nil || options.Authority == nil || options.RegistryHost == "" || options.Images == nil || options.Objects == nil {
		return nil, errors.New("stand-in provider: Account, Authority, RegistryHost, Images and Objects are required")
	}
	s := &Server{options: options}
	for _, name := range []string{"aws", "github"} {
		port, err := s.serve(name)
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("stand-in provider %s: %w", name, err)
		}
		if s.env != "" {
			s.env += ","
		}
		s.env += fmt.Sprintf("%s:%d", name, port)
	}
	context.AfterFunc(ctx, s.Close)
	return s, nil
}

// serve starts the plugin called name and returns its port.
func (s *Server) serve(name string) (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.StatsHandler(perConnection{}))
	pulumirpc.RegisterResourceProviderServer(server, &endpoint{Server: s, name: name})
	s.grpc = append(s.grpc, server)
	go server.Serve(listener) // returns when Close stops the server
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// Env returns the value of PULUMI_DEBUG_PROVIDERS that makes an engine use this server.
func (s *Server) Env() string { return s.env }

// Close stops the server. It is safe to call more than once.
func (s *Server) Close() {
	for _, server := range s.grpc {
		server.Stop()
	}
}

// AuthorizeConnection makes a declared connection AVAILABLE, as finishing the handshake in the console does.
func (s *Server) AuthorizeConnection(arn string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	connection, ok := s.options.Account.Find(account.Connection, "arn", arn)
	if !ok {
		return fmt.Errorf("authorize connection %q: the stack declares no such connection", arn)
	}
	properties := values(connection.Properties).clone()
	properties["connectionStatus"] = connectionAvailable
	connection.Properties = properties
	s.options.Account.Put(connection)
	return nil
}

// perConnection gives every connection its own session. The engine opens one connection for each provider resource of
// a program, and no request says which provider it is for, so the connection is what tells two configurations apart.
type perConnection struct{}

type sessionKey struct{}

func (perConnection) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return context.WithValue(ctx, sessionKey{}, &session{})
}
func (perConnection) HandleConn(context.Context, stats.ConnStats) {}
func (perConnection) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return ctx
}
func (perConnection) HandleRPC(context.Context, stats.RPCStats) {}
