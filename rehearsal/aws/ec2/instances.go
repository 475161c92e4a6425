package ec2

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/instancetypes"
)

// Service serves EC2's API for the declared instances. All fields are set before its first use.
type Service struct {
	Account   *account.Account
	Authority *iam.Authority
	// ShutDown ends what runs on an instance, and Boot starts what starts when the instance does. Both return when that is done.
	ShutDown, Boot func(instanceID string)

	mu       sync.Mutex               // held while the state of instances is looked at or changed
	changing map[string]chan struct{} // by instance: closed when the last change of its state has ended
	working  sync.WaitGroup
}

// The states of an instance that exists, with their codes (EC2 API Reference, InstanceState).
const (
	pending  = "pending"
	running  = "running"
	stopping = "stopping"
	stopped  = "stopped"
)

var stateCodes = map[string]int{pending: 0, running: 16, stopping: 64, stopped: 80}

// instanceState is a state as EC2 writes it.
type instanceState struct {
	Code int    `xml:"code"`
	Name string `xml:"name"`
}

func stateOf(name string) instanceState { return instanceState{stateCodes[name], name} }

// DescribeInstancesInput asks for instances: all, or those with an ID and that pass each filter.
type DescribeInstancesInput struct {
	InstanceIDs []string `query:"InstanceId"`
	Filters     []Filter `query:"Filter"`
}

// Filter is passed by what has one of the values, in which * and ? are wildcards.
type Filter struct {
	Name   string
	Values []string `query:"Value"`
}

// DescribeInstancesOutput has the instances, each in a reservation of its own: nothing here launches several at once.
type DescribeInstancesOutput struct {
	Reservations []reservation `xml:"reservationSet>item"`
}

type reservation struct {
	ReservationID string     `xml:"reservationId"`
	OwnerID       string     `xml:"ownerId"`
	Instances     []instance `xml:"instancesSet>item"`
}

// instance is what a declaration says of an instance, and no more.
type instance struct {
	InstanceID       string        `xml:"instanceId" json:"-"`
	ImageID          string        `xml:"imageId" json:"ami"`
	State            instanceState `xml:"instanceState" json:"-"`
	PrivateDNSName   string        `xml:"privateDnsName" json:"privateDns"`
	InstanceType     string        `xml:"instanceType" json:"instanceType"`
	LaunchTime       string        `xml:"launchTime" json:"-"`
	AvailabilityZone string        `xml:"placement>availabilityZone" json:"availabilityZone"`
	SubnetID         string        `xml:"subnetId" json:"subnetId"`
	PrivateIPAddress string        `xml:"privateIpAddress" json:"privateIp"`
	PublicIPAddress  string        `xml:"ipAddress,omitempty" json:"-"`
	CPUOptions       *cpuOptions   `xml:"cpuOptions" json:"-"` // nil if the rehearsal does not know the type's
	Tags             []tag         `xml:"tagSet>item" json:"-"`
}

// cpuOptions are how many vCPUs an instance has: cores times threads.
type cpuOptions struct {
	CoreCount      int `xml:"coreCount"`
	ThreadsPerCore int `xml:"threadsPerCore"`
}

// cpusOf returns what an instance type has. Two threads a core are those of Intel's processors and older ones of AMD's; what
// counts for a quota is the product (EC2 User Guide, "CPU options for Amazon EC2 instances").
func cpusOf(instanceType string) *cpuOptions {
	switch n := instancetypes.VCPUs(instanceType); {
	case n == 0:
		return nil
	case n%2 == 0 && instancetypes.Architecture(instanceType) == instancetypes.X86:
		return &cpuOptions{n / 2, 2}
	default:
		return &cpuOptions{n, 1}
	}
}

type tag struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

// DescribeInstances describes instances, with ec2:DescribeInstances, which has no resource types (Service Authorization
// Reference, Amazon EC2).
func (s *Service) DescribeInstances(session iam.Session, in DescribeInstancesInput) (DescribeInstancesOutput, error) {
	if err := s.Authority.Authorize(session, "ec2:DescribeInstances", "*"); err != nil {
		return DescribeInstancesOutput{}, awserror.Denied(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.Account.ByType(account.Instance)
	if len(in.InstanceIDs) > 0 {
		var err error
		if all, err = s.named(in.InstanceIDs); err != nil {
			return DescribeInstancesOutput{}, err
		}
	}
	var out DescribeInstancesOutput
	for _, r := range all {
		passes, err := passesAll(in.Filters, filtered(r))
		if err != nil {
			return DescribeInstancesOutput{}, err
		}
		if !passes {
			continue
		}
		described, err := s.describe(r)
		if err != nil {
			return DescribeInstancesOutput{}, err
		}
		out.Reservations = append(out.Reservations, reservation{"r" + strings.TrimPrefix(r.ID, "i"), s.Account.ID(), []instance{described}})
	}
	return out, nil
}

// instanceID is what EC2 takes for the ID of an instance.
var instanceID = regexp.MustCompile(`^i-([0-9a-f]{8}|[0-9a-f]{17})$`)

// named returns the instances with these IDs (EC2 API Reference, "Error codes for the Amazon EC2 API"; the messages are
// from memory).
func (s *Service) named(ids []string) ([]account.Resource, error) {
	var found []account.Resource
	var missing []string
	for _, id := range ids {
		r, ok := s.Account.Find(account.Instance, "id", id)
		switch {
		case ok:
			found = append(found, r)
		case !instanceID.MatchString(id):
			return nil, awserror.New("InvalidInstanceID.Malformed", `Invalid id: "%s"`, id)
		default:
			missing = append(missing, id)
		}
	}
	switch len(missing) {
	case 0:
		return found, nil
	case 1:
		return nil, awserror.New("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", missing[0])
	}
	return nil, awserror.New("InvalidInstanceID.NotFound", "The instance IDs '%s' do not exist", strings.Join(missing, ", "))
}

// describe returns what a declaration says of an instance.
func (s *Service) describe(r account.Resource) (instance, error) {
	i, err := account.Decode[instance](r)
	if err != nil {
		return instance{}, err
	}
	i.InstanceID, i.State = r.ID, stateOf(state(r))
	i.LaunchTime = time.Now().Add(-s.Account.Age(r)).UTC().Format("2006-01-02T15:04:05.000Z")
	i.PublicIPAddress = s.publicIP(r)
	i.CPUOptions = cpusOf(i.InstanceType)
	i.Tags = tagList(r)
	return i, nil
}

// tagList returns a resource's tags, sorted.
func tagList(r account.Resource) []tag {
	var list []tag
	tags := tagsOf(r)
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, tag{key, tags[key]})
	}
	return list
}

// publicIP returns the public address of an instance: an Elastic IP that is associated with it, or what it got when it was
// launched. It loses the latter when it stops, and keeps the former (EC2 User Guide, "Amazon EC2 instance IP addressing").
func (s *Service) publicIP(r account.Resource) string {
	if association, ok := s.Account.Find(account.EIPAssociation, "instanceId", r.ID); ok {
		return association.String("publicIp")
	}
	if state(r) == running {
		return r.String("publicIp")
	}
	return ""
}

// stateProperty is the property of a declared instance that has its state.
const stateProperty = "instanceState"

func state(r account.Resource) string { return cmp.Or(r.String(stateProperty), running) }

// tagsOf returns the tags of a resource, those that the provider adds to all among them.
func tagsOf(r account.Resource) map[string]string {
	declared, err := account.Decode[struct{ Tags, TagsAll map[string]string }](r)
	if err != nil || len(declared.TagsAll) == 0 {
		return declared.Tags
	}
	return declared.TagsAll
}

// passesAll reports whether something passes all filters. values are what it has for a filter's name, if there is such a filter.
func passesAll(filters []Filter, values func(name string) (values []string, known bool)) (bool, error) {
	for _, f := range filters {
		has, known := values(f.Name)
		if !known { // EC2's words for a filter that it does not know, from memory
			return false, awserror.New("InvalidParameterValue", "The filter '%s' is invalid (or a rehearsal does not know it)", f.Name)
		}
		if !slices.ContainsFunc(has, f.matches) {
			return false, nil
		}
	}
	return true, nil
}

// filtered returns what an instance has for a filter's name.
func filtered(r account.Resource) func(name string) (values []string, known bool) {
	return func(name string) ([]string, bool) {
		key, isTag := strings.CutPrefix(name, "tag:")
		value, tagged := tagsOf(r)[key]
		switch {
		case isTag && tagged:
			return []string{value}, true
		case isTag:
			return nil, true
		case name == "tag-key":
			return slices.Collect(maps.Keys(tagsOf(r))), true
		case name == "instance-state-name":
			return []string{state(r)}, true
		case name == "instance-id":
			return []string{r.ID}, true
		}
		return nil, false
	}
}

// matches reports whether one of the values matches (EC2 API Reference, Filter; EC2 User Guide, "Filter the results using
// the API or CLI"): * is any number of characters, ? is one, and a backslash takes the meaning of either away.
func (f Filter) matches(text string) bool {
	return slices.ContainsFunc(f.Values, func(value string) bool {
		var pattern strings.Builder
		escaped := false
		for _, char := range value {
			switch {
			case escaped || !strings.ContainsRune(`\*?`, char):
				pattern.WriteString(regexp.QuoteMeta(string(char)))
				escaped = false
			case char == '\\':
				escaped = true
			default:
				pattern.WriteString(map[rune]string{'*': ".*", '?': "."}[char])
			}
		}
		return regexp.MustCompile(`(?s)^` + pattern.String() + `$`).MatchString(text)
	})
}
