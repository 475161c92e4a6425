package infra

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	testAccount    = "123456789012"
	testAddress    = "198.51.100.80"
	testConnection = "arn:aws:codestar-connections:eu-central-1:123456789012:connection/11111111-2222-3333-4444-555555555555"
	testKey        = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsa1b0lYLm8zZlE2aJp0Y3tTz9fXwq3xg0kqYl0b1mN operator"
)

// What others in the account have.
const (
	testParameter = "arn:aws:ssm:eu-central-1:123456789012:parameter/shared/token"
	testSecret    = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-a1B2c3"
	testPolicy    = "arn:aws:iam::123456789012:policy/team/uploads"
	testVpc       = "vpc-0a1b2c3d4e5f67890"
	testSubnet    = "subnet-0a1b2c3d4e5f67890"
	// ownParameters starts the ARN of the stack's own parameters.
	ownParameters = "arn:aws:ssm:eu-central-1:123456789012:parameter/cicd/dev/"
)

// everyKey configures everything that a stack can say of its application and network.
func everyKey() map[string]string {
	return with("connectionAuthorized", "true", "deployScripts", "stack",
		"appPath", "apps/shop", "dockerfile", "docker/Dockerfile.prod", "buildTarget", "production", "buildArgs", `{"VERSION":"1.2","DEBUG":false}`,
		"buildSecrets", `{"NPM_TOKEN":"","PIP":"`+testParameter+`","GEM":"`+testSecret+`#gem"}`,
		"environment", `{"LOG_LEVEL":"debug","WORKERS":4}`, "secrets", `{"DATABASE_URL":"","TOKEN":"`+testParameter+`","DB":"`+testSecret+`#password"}`,
		"releaseCommand", "bin/migrate --wait 'a b'", "processes", `{"worker":"bin/worker","mail":"sh -c 'a | b'"}`,
		"volumes", `{"uploads":"/app/uploads","index":"/var/index"}`, "volumeGiB", "50",
		"appPolicyArns", `["`+testPolicy+`","arn:aws:iam::aws:policy/AmazonSESFullAccess"]`, "egressPorts", `[5432,587]`,
		"domain", "shop.example.com", "hostedZoneId", testZone,
		"vpcId", testVpc, "subnetIds", `["`+testSubnet+`"]`, "healthSeconds", "300", "stopSeconds", "60")
}

// recorder stands in for the engine: it records what is registered and invents what AWS would compute.
type recorder struct {
	mu      sync.Mutex
	seen    []pulumi.MockResourceArgs
	calls   []pulumi.MockCallArgs
	outputs map[string]any
	// offering lists the zones that offer the instance type; nil means all.
	offering []string
	// zone is where the subnets are already, "" for where they are to be.
	zone string
	// volumeZone is where the volume for data is already, "" for where it is to be.
	volumeZone string
	// account is the stack's, "" for testAccount.
	account string
	// existing are the subnets of the account beside the stack's; nil means testSubnet, which is fit for a host.
	existing map[string]existingSubnet
	// zones are the account's hosted zones, by ID; nil means testZone, which holds example.com.
	zones map[string]existingZone
}

// existingZone is a hosted zone that the stack has not made.
type existingZone struct {
	name    string
	private bool
}

// existingSubnet is a subnet that the stack has not made.
type existingSubnet struct {
	vpc, zone string
	// table is the route table it is associated with; "" for none, and thereby the main one, rtb-main.
	table string
}

// routes are the targets of 0.0.0.0/0 in the account's route tables.
var routes = map[string]string{"rtb-main": "", "rtb-public": "igw-1", "rtb-vpn": "vgw-1"}

func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, args)
	state := args.Inputs.Copy()
	state["arn"] = resource.NewProperty("arn:of:" + args.Name)
	switch args.TypeToken {
	case "aws:ecr/repository:Repository":
		state["repositoryUrl"] = resource.NewProperty(testAccount + ".dkr.ecr.eu-central-1.amazonaws.com/" + state["name"].StringValue())
	case "aws:s3/bucketObjectv2:BucketObjectv2":
		state["versionId"] = resource.NewProperty("version-of-" + args.Name)
	case "aws:ec2/subnet:Subnet":
		if r.zone != "" {
			state["availabilityZone"] = resource.NewProperty(r.zone)
		}
	case "aws:ebs/volume:Volume":
		if r.volumeZone != "" {
			state["availabilityZone"] = resource.NewProperty(r.volumeZone)
		}
	case "aws:ec2/eip:Eip":
		state["publicIp"] = resource.NewProperty(testAddress)
		state["allocationId"] = resource.NewProperty("eipalloc-1")
	case "aws:ec2/keyPair:KeyPair":
		state["keyName"] = resource.NewProperty(args.Name + "-1234567")
	}
	return args.Name + "-id", state, nil
}

func (r *recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, args)
	zones := []string{"eu-central-1c", "eu-central-1a", "eu-central-1b"}
	offering := r.offering
	if offering == nil {
		offering = zones
	}
	answers := map[string]map[string]any{
		"aws:index/getCallerIdentity:getCallerIdentity":             {"accountId": cmp.Or(r.account, testAccount)},
		"aws:index/getAvailabilityZones:getAvailabilityZones":       {"names": zones},
		"aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": {"locations": offering},
		"aws:ssm/getParameter:getParameter":                         {"value": resource.MakeSecret(resource.NewStringProperty(fmt.Sprint("ami-for-", args.Args["name"].V)))},
	}
	if answer, err := r.network(args); answer != nil || err != nil {
		return resource.NewPropertyMapFromMap(answer), err
	}
	answer, ok := answers[args.Token]
	if !ok {
		return nil, fmt.Errorf("unexpected call of %s", args.Token)
	}
	return resource.NewPropertyMapFromMap(answer), nil
}

// network answers questions about the account's existing network and zones; the answer is nil for other questions.
func (r *recorder) network(args pulumi.MockCallArgs) (map[string]any, error) {
	existing := r.existing
	if existing == nil {
		existing = map[string]existingSubnet{testSubnet: {testVpc, "eu-central-1b", "rtb-public"}}
	}
	switch args.Token {
	case "aws:ec2/getSubnet:getSubnet":
		subnet, ok := existing[args.Args["id"].StringValue()]
		if !ok {
			return nil, errors.New("no matching EC2 Subnet found")
		}
		return map[string]any{"vpcId": subnet.vpc, "availabilityZone": subnet.zone}, nil
	case "aws:route53/getZone:getZone":
		zones := r.zones
		if zones == nil {
			zones = map[string]existingZone{testZone: {"example.com", false}}
		}
		zone, ok := zones[args.Args["zoneId"].StringValue()]
		if !ok {
			return nil, errors.New("no matching Route 53 Hosted Zone found")
		}
		return map[string]any{"name": zone.name, "privateZone": zone.private}, nil
	case "aws:ec2/getRouteTables:getRouteTables":
		filter := args.Args["filters"].ArrayValue()[0].ObjectValue()
		value := filter["values"].ArrayValue()[0].StringValue()
		ids := []any{}
		switch name := filter["name"].StringValue(); {
		case name == "association.main" && value == "true":
			ids = append(ids, "rtb-main")
		case name == "association.subnet-id" && existing[value].table != "":
			ids = append(ids, existing[value].table)
		}
		return map[string]any{"ids": ids}, nil
	case "aws:ec2/getRouteTable:getRouteTable":
		id := args.Args["routeTableId"].StringValue()
		return map[string]any{"routeTableId": id, "routes": []any{map[string]any{"cidrBlock": anywhere, "gatewayId": routes[id]}}}, nil
	}
	return nil, nil
}

// defaults is the smallest configuration; with returns it with some keys changed.
func defaults() map[string]string {
	return map[string]string{"aws:region": "eu-central-1", "cicd:repository": "example/webapp"}
}

func with(pairs ...string) map[string]string {
	config := defaults()
	for i := 0; i < len(pairs); i += 2 {
		key := pairs[i]
		if !strings.Contains(key, ":") {
			key = "cicd:" + key
		}
		config[key] = pairs[i+1]
	}
	return config
}

// attempt runs Program against a fresh recorder.
func attempt(rec *recorder, project, stack string, config map[string]string) error {
	rec.outputs = map[string]any{}
	return pulumi.RunErr(func(ctx *pulumi.Context) error {
		if err := Program(slices.Collect(maps.Keys(config)))(ctx); err != nil {
			return err
		}
		exports := ctx.GetCurrentExportMap()
		names := slices.Sorted(maps.Keys(exports))
		values := make([]any, len(names))
		for i, name := range names {
			values[i] = exports[name]
		}
		// One apply for all: RunErr does not wait for applies on plain values alone.
		pulumi.All(values...).ApplyT(func(values []any) any {
			for i, name := range names {
				rec.outputs[name] = values[i]
			}
			return nil
		})
		return nil
	}, pulumi.WithMocks(project, stack, rec), func(info *pulumi.RunInfo) { info.Config = config })
}

// run runs Program as stack dev and checks the rules that hold for every resource.
func run(t *testing.T, config map[string]string) *recorder {
	t.Helper()
	rec := &recorder{}
	if err := attempt(rec, "cicd", "dev", config); err != nil {
		t.Fatalf("Program: %v", err)
	}
	names := map[string]bool{}
	for _, r := range rec.seen {
		id := r.TypeToken + " " + r.Name
		if names[id] {
			t.Errorf("%s is registered twice", id)
		}
		names[id] = true
		switch {
		case strings.HasPrefix(r.TypeToken, "pulumi:providers:"):
			continue
		case strings.HasPrefix(r.TypeToken, "cicd:index:"):
			if r.Name != "cicd-dev" {
				t.Errorf("component %s: want the stack's prefix as its name", id)
			}
			continue
		}
		cloud, _, _ := strings.Cut(r.TypeToken, ":")
		if want := "pulumi:providers:" + cloud + "::" + cloud + "::"; !strings.Contains(r.Provider, want) {
			t.Errorf("%s has provider %q, want the explicit one (%s)", id, r.Provider, want)
		}
		if !strings.Contains(r.RegisterRPC.GetParent(), "cicd:index:") {
			t.Errorf("%s has parent %q, want a component", id, r.RegisterRPC.GetParent())
		}
		if !strings.HasPrefix(r.Name, "cicd-dev-") {
			t.Errorf("%s: want a name that starts with the stack's prefix", id)
		}
	}
	for _, call := range rec.calls {
		if !strings.Contains(call.Provider, "pulumi:providers:aws::aws::") {
			t.Errorf("call of %s has provider %q, want the explicit one", call.Token, call.Provider)
		}
	}
	return rec
}

// ofType returns the registered resources of a type, given as a token without the package.
func (r *recorder) ofType(token string) []pulumi.MockResourceArgs {
	return slices.DeleteFunc(slices.Clone(r.seen), func(a pulumi.MockResourceArgs) bool {
		_, rest, _ := strings.Cut(a.TypeToken, ":")
		return rest != token
	})
}

// one returns the only resource of a type.
func (r *recorder) one(t *testing.T, token string) pulumi.MockResourceArgs {
	t.Helper()
	found := r.ofType(token)
	if len(found) != 1 {
		t.Fatalf("%d resources of type %s, want 1", len(found), token)
	}
	return found[0]
}

// named returns the resource with this type and logical name.
func (r *recorder) named(t *testing.T, token, name string) pulumi.MockResourceArgs {
	t.Helper()
	for _, a := range r.ofType(token) {
		if a.Name == name {
			return a
		}
	}
	t.Fatalf("no %s %q", token, name)
	return pulumi.MockResourceArgs{}
}

// counts returns the number of resources of each type, including components and providers.
func (r *recorder) counts() map[string]int {
	n := map[string]int{}
	for _, a := range r.seen {
		n[a.TypeToken]++
	}
	return n
}

// wantInputs compares a resource's inputs with JSON.
func wantInputs(t *testing.T, a pulumi.MockResourceArgs, want string) {
	t.Helper()
	got, err := json.Marshal(a.Inputs.Mappable())
	if err != nil {
		t.Fatal(err)
	}
	if !sameJSON(t, string(got), want) {
		t.Errorf("%s %s has inputs\n%s\nwant\n%s", a.TypeToken, a.Name, got, want)
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	for text, into := range map[string]*any{a: &x, b: &y} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
	}
	return reflect.DeepEqual(x, y)
}

// wantDependencies checks that a resource depends on others, given as type/name suffixes of their URNs.
func wantDependencies(t *testing.T, a pulumi.MockResourceArgs, suffixes ...string) {
	t.Helper()
	for _, suffix := range suffixes {
		if !slices.ContainsFunc(a.RegisterRPC.GetDependencies(), func(urn string) bool { return strings.HasSuffix(urn, suffix) }) {
			t.Errorf("%s %s does not depend on %s, only on\n  %s", a.TypeToken, a.Name, suffix,
				strings.Join(slices.Sorted(slices.Values(a.RegisterRPC.GetDependencies())), "\n  "))
		}
	}
}

// wantSameCounts compares resource counts.
func wantSameCounts(t *testing.T, got, want map[string]int) {
	t.Helper()
	for _, token := range slices.Sorted(maps.Keys(mergeKeys(got, want))) {
		if got[token] != want[token] {
			t.Errorf("%d of %s, want %d", got[token], token, want[token])
		}
	}
}

func mergeKeys(a, b map[string]int) map[string]int {
	merged := maps.Clone(a)
	maps.Copy(merged, b)
	return merged
}
