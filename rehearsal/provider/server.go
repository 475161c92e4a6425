// Package provider is the stand-in for the aws and github provider plugins: a server that speaks the Pulumi provider
// protocol to the real engine and records what a stack declares in an account.Account.
//
// It is strict. It rejects what AWS and the real provider reject (names, dangling references, malformed policies,
// pipeline structure), computes outputs as the real provider does, and knows which property replaces a resource. It
// accepts only the types, properties and functions in its tables: an ignored property would be an unchecked yes.
// F-numbers are the failures in docs/failures.md.
package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// maxMessage is the largest message that the Pulumi engine sends to a provider, in bytes. Source: pulumi/pulumi,
// sdk/go/common/util/rpcutil.
const maxMessage = 400 << 20

// Images is the registry behind the declared ECR repositories.
type Images interface {
	// ImageCount returns the number of images in the repository of that name.
	ImageCount(repository string) int
	// DeleteRepository removes a repository with its images.
	DeleteRepository(repository string) error
}

// Objects is the store behind the declared S3 buckets.
type Objects interface {
	// ObjectCount returns the number of object versions in a bucket.
	ObjectCount(bucket string) int
	// EmptyBucket removes every version of every object.
	EmptyBucket(bucket string) error
	// PlaceObject stores a version of an object and returns its id and its ETag. kmsKey is the id of the KMS key that
	// encrypts it, "" for S3's own keys.
	PlaceObject(bucket, key, kmsKey string, body io.Reader) (version, etag string, err error)
	// RemoveObject removes every version of an object.
	RemoveObject(bucket, key string) error
}

// Options configures a Server. Every field that says nothing else is required.
type Options struct {
	// Account records declared resources and resolves references.
	Account *account.Account
	// Authority decides whether a service may assume a role.
	Authority *iam.Authority
	// RegistryHost is the registry's host:port, the part of a repositoryUrl before its first slash.
	RegistryHost string
	// Images and Objects may block a destroy.
	Images  Images
	Objects Objects
	// ExistingConnections are ARNs of connections that existed before the stack. They are AVAILABLE. Optional.
	ExistingConnections []string
	// ExistingNetworks are VPCs that existed before the stack. Optional.
	ExistingNetworks []ExistingNetwork
	// ExistingZones are hosted zones that existed before the stack. Optional.
	ExistingZones []ExistingZone
	// Trusted are the resource types that are accepted unchecked, with the outputs that each gets, see LoadTrusted.
	// Optional.
	Trusted map[string]map[string]any
}

// Server is a running stand-in. It is safe for concurrent use.
type Server struct {
	options Options
	grpc    []*grpc.Server
	env     string

	mu sync.Mutex // held while a resource is created, updated or deleted, so that checks stay true until it is recorded
}

// Start listens on two loopback ports, one per plugin, until Close or the end of ctx.
func Start(ctx context.Context, options Options) (*Server, error) {
	if options.Account == nil || options.Authority == nil || options.RegistryHost == "" || options.Images == nil || options.Objects == nil {
		return nil, errors.New("stand-in provider: Account, Authority, RegistryHost, Images and Objects are required")
	}
	for _, network := range options.ExistingNetworks {
		network.record(options.Account)
	}
	for _, zone := range options.ExistingZones {
		zone.record(options.Account)
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

// serve starts the named plugin and returns its port.
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

// AuthorizeConnection makes a declared connection AVAILABLE, like authorizing it in the console.
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

// perConnection gives every connection its own session. The engine opens one connection per provider resource of a
// program, and no request says which provider it is for, so only the connection tells two configurations apart.
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
