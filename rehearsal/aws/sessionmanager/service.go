// Package sessionmanager stands in for Session Manager, a part of AWS Systems Manager: sessions with a stack's hosts, and
// the plugin that connects to them on a person's machine. Each call is decided by the caller's declared policies, and which
// hosts can be reached by those of the hosts.
//
// Sources are the service model (2014-11-06), the Systems Manager User Guide, and the code of what runs at the two ends:
// github.com/aws/amazon-ssm-agent, 3.3.0.0, and github.com/aws/session-manager-plugin, after 1.2.650.0. Between these two,
// AWS has a protocol of its own; here, the plugin of package [cicd/rehearsal/aws/sessionmanager/plugin] gets the command
// over HTTP and runs it itself, on this machine, which is the host as well.
package sessionmanager

import (
	"slices"
	"strings"
	"sync"
	"time"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/awsjson"
	"cicd/rehearsal/aws/iam"
)

// Service holds the sessions of an account. Its exported fields are set before its first use.
type Service struct {
	Account   *account.Account
	Authority *iam.Authority
	// Host returns what a declared instance is.
	Host func(instanceID string) (Host, error)
	// URL is where the service's own handler is served, see ServeHTTP.
	URL string

	mu       sync.Mutex
	sessions map[string]*session // by ID
}

// Host is an instance, as its SSM agent knows it.
type Host struct {
	// Role is the instance's role.
	Role iam.Session
	// Environment has the variables of what the agent runs, Folder is where that begins.
	Environment []string
	Folder      string
}

// instance is what is read from aws:ec2/instance:Instance.
type instance struct {
	Tags    map[string]string `json:"tags"`
	TagsAll map[string]string `json:"tagsAll"` // including the provider's default tags
}

// tags returns the tags of a declared instance.
func tags(r account.Resource) (map[string]string, error) {
	declared, err := account.Decode[instance](r)
	if len(declared.TagsAll) > 0 {
		return declared.TagsAll, err
	}
	return declared.Tags, err
}

// may reports whether a host's role allows all of the actions, none of which has a resource.
func (s *Service) may(h Host, actions ...string) bool {
	return !slices.ContainsFunc(actions, func(action string) bool { return s.Authority.Authorize(h.Role, action, "*") != nil })
}

// registered returns the host if Systems Manager knows it: its agent, which Amazon Linux 2023 has, says so with the
// instance's role (Systems Manager User Guide, "Verify or add instance permissions for Session Manager").
func (s *Service) registered(instanceID string) (Host, bool) {
	if _, ok := s.Account.Find(account.Instance, "id", instanceID); !ok {
		return Host{}, false
	}
	h, err := s.Host(instanceID)
	return h, err == nil && s.may(h, "ssm:UpdateInstanceInformation")
}

// connected returns the host if a session can be opened with it.
func (s *Service) connected(instanceID string) (Host, bool) {
	h, ok := s.registered(instanceID)
	return h, ok && s.may(h, "ssmmessages:CreateControlChannel", "ssmmessages:OpenControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenDataChannel")
}

// Filter selects hosts whose Key has one of the Values.
type Filter struct {
	Key    string
	Values []string
}

// DescribeInstanceInformationInput asks for the hosts that match every filter.
type DescribeInstanceInformationInput struct {
	Filters    []Filter
	MaxResults *int // at least 5, which is more than a stack has
}

// InstanceInformation is what Systems Manager knows of a host.
type InstanceInformation struct {
	InstanceID string `json:"InstanceId"`
	PingStatus string
	// LastPingDateTime is in seconds since 1970.
	LastPingDateTime                                          float64
	PlatformType, PlatformName, PlatformVersion, ResourceType string
}

// DescribeInstanceInformationOutput has the hosts.
type DescribeInstanceInformationOutput struct {
	InstanceInformationList []InstanceInformation
}

// DescribeInstanceInformation lists the hosts that Systems Manager knows, with ssm:DescribeInstanceInformation. Like many
// actions that list, that is allowed for all or none (Service Authorization Reference, AWS Systems Manager).
func (s *Service) DescribeInstanceInformation(caller iam.Session, in DescribeInstanceInformationInput) (DescribeInstanceInformationOutput, error) {
	out := DescribeInstanceInformationOutput{InstanceInformationList: []InstanceInformation{}}
	if err := s.Authority.Authorize(caller, "ssm:DescribeInstanceInformation", "*"); err != nil {
		return out, awserror.Denied(err)
	}
	for _, r := range s.Account.ByType(account.Instance) {
		matches, err := matchesAll(r, in.Filters)
		if err != nil {
			return out, err
		}
		if _, ok := s.registered(r.ID); matches && ok {
			out.InstanceInformationList = append(out.InstanceInformationList, InstanceInformation{
				InstanceID: r.ID, PingStatus: "Online", LastPingDateTime: awsjson.Seconds(time.Now()),
				PlatformType: "Linux", PlatformName: "Amazon Linux", PlatformVersion: "2023", ResourceType: "EC2Instance",
			})
		}
	}
	return out, nil
}

// matchesAll reports whether an instance matches every filter.
func matchesAll(r account.Resource, filters []Filter) (bool, error) {
	has, err := tags(r)
	if err != nil {
		return false, err
	}
	for _, f := range filters {
		key, byTag := strings.CutPrefix(f.Key, "tag:")
		value, ok := has[key]
		switch {
		case !byTag:
			return false, awserror.New("InvalidFilterKey", "The specified key is not valid. A rehearsal knows tag:NAME, and not %s.", f.Key)
		case !ok || !slices.Contains(f.Values, value):
			return false, nil
		}
	}
	return true, nil
}
