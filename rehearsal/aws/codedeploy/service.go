// Package codedeploy is AWS CodeDeploy for in-place deployments to EC2: it finds the hosts of a declared deployment
// group, has their agents (package agent) run the lifecycle events, applies the deployment configuration and rolls
// back automatically. It knows only what the account declares. F-numbers are the failures in docs/failures.md.
package codedeploy

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"slices"
	"sync"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/codedeploy/agent"
	"cicd/rehearsal/aws/iam"
)

// APIError is an error of a CodeDeploy API call, with its name in the API reference.
type APIError struct{ Code, Message string }

func (e *APIError) Error() string { return e.Code + ": " + e.Message }

// Revision is a deployment's bundle in S3.
type Revision struct {
	Bucket, Key string
	// Version and ETag are "" if the deployment does not specify them.
	Version, ETag string
	// BundleType is zip, tar or tgz.
	BundleType string
}

// Config configures a Service. All fields are required.
type Config struct {
	Account   *account.Account
	Authority *iam.Authority
	// Hosts returns the agent of a declared instance, or an error if it has no running agent.
	Hosts func(instanceID string) (*agent.Agent, error)
	// Fetch opens a revision's archive and returns its entity tag, with the permissions of the instance's role.
	Fetch func(ctx context.Context, instanceID string, r Revision) (body io.ReadCloser, etag string, err error)
	// Notify receives progress, one event at a time. It must not call the Service.
	Notify func(Event)
}

// Service is the CodeDeploy of one account and region. It is safe for concurrent use.
type Service struct {
	config Config

	notify sync.Mutex

	mu      sync.Mutex
	groups  map[string]*groupState // by deployment group id
	history []*Deployment          // in the order in which they began
}

// groupState is the service's memory of a deployment group. A replaced group has a new id, and no history.
type groupState struct {
	active   *Deployment
	lastGood *Deployment
}

// New returns a Service without deployments.
func New(config Config) *Service {
	return &Service{config: config, groups: map[string]*groupState{}}
}

// CreateDeployment starts a deployment of r to a group and returns while it runs; when ctx ends, the deployment and
// its hooks' processes do too. The error is an *APIError if the API call itself is rejected; everything else is
// reported by the Deployment.
func (s *Service) CreateDeployment(ctx context.Context, application, groupName string, r Revision) (*Deployment, error) {
	g, err := s.group(application, groupName)
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"zip", "tar", "tgz"}, r.BundleType) {
		return nil, &APIError{"InvalidRevisionException", fmt.Sprintf("bundle type %q: want zip, tar or tgz", r.BundleType)}
	}
	d := newDeployment(ctx, g, r, "user")
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.state(g)
	if state.active != nil {
		return nil, &APIError{"DeploymentLimitExceededException",
			fmt.Sprintf("The Deployment Group '%s' already has an active Deployment '%s'", g.Name, state.active.ID)}
	}
	state.active = d
	s.history = append(s.history, d)
	go s.carryOut(d, state)
	return d, nil
}

// Wait returns when no deployment is in progress, including rollbacks.
func (s *Service) Wait() {
	for {
		s.mu.Lock()
		var active *Deployment
		for _, state := range s.groups {
			active = cmp.Or(active, state.active)
		}
		s.mu.Unlock()
		if active == nil {
			return
		}
		<-active.done
	}
}

// state returns the state of a group; s.mu must be held.
func (s *Service) state(g group) *groupState {
	if s.groups[g.ID] == nil {
		s.groups[g.ID] = &groupState{}
	}
	return s.groups[g.ID]
}

// deploymentID returns an id in CodeDeploy's format: d- and nine letters or digits.
func deploymentID() string { return "d-" + rand.Text()[:9] }
