package provider_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/provider"
)

// store is a registry and an object store with as much in it as a test says.
type store struct {
	images, objects map[string]int
}

func (s *store) ImageCount(repository string) int         { return s.images[repository] }
func (s *store) DeleteRepository(repository string) error { delete(s.images, repository); return nil }
func (s *store) ObjectCount(bucket string) int            { return s.objects[bucket] }
func (s *store) EmptyBucket(bucket string) error          { delete(s.objects, bucket); return nil }

// raw is a resource of any type, declared by its token as the generated SDKs do, without compiling those.
type raw struct{ pulumi.CustomResourceState }

// rig is one rehearsed account, and a program that can change between updates.
type rig struct {
	account *account.Account
	server  *provider.Server
	store   *store
	stack   auto.Stack
	program pulumi.RunFunc
}

func newRig(t *testing.T) *rig {
	t.Helper()
	if _, err := exec.LookPath("pulumi"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the Pulumi engine is needed: %v", err)
		}
		t.Skipf("needs the Pulumi engine: %v", err)
	}
	r := &rig{account: account.New("123456789012"), store: &store{images: map[string]int{}, objects: map[string]int{}}}
	server, err := provider.Start(t.Context(), provider.Options{
		Account: r.account, Authority: iam.NewAuthority(r.account), RegistryHost: "127.0.0.1:5000", Images: r.store, Objects: r.store,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	r.server = server
	dir := t.TempDir()
	r.stack, err = auto.UpsertStackInlineSource(t.Context(), "dev", "rig", func(ctx *pulumi.Context) error { return r.program(ctx) },
		auto.WorkDir(dir),
		auto.Project(workspace.Project{
			Name:    tokens.PackageName("rig"),
			Runtime: workspace.NewProjectRuntimeInfo("go", nil),
			Backend: &workspace.ProjectBackend{URL: "file://" + dir},
		}),
		auto.Stacks(map[string]workspace.ProjectStack{"dev": {Config: config.Map{
			config.MustMakeKey("aws", "region"): config.NewValue("eu-central-1"),
		}}}),
		auto.EnvVars(map[string]string{
			"PULUMI_DEBUG_PROVIDERS": server.Env(), "PULUMI_CONFIG_PASSPHRASE": "rig", "PULUMI_SKIP_UPDATE_CHECK": "true",
		}))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// up updates the stack and returns how many resources each operation touched, but for those that stayed the same.
func (r *rig) up(t *testing.T) map[string]int {
	t.Helper()
	result, err := r.stack.Up(t.Context())
	if err != nil {
		t.Fatalf("up: %v", err)
	}
	changes := *result.Summary.ResourceChanges
	delete(changes, "same")
	return changes
}

func (r *rig) preview(t *testing.T, opts ...optpreview.Option) string {
	t.Helper()
	var said strings.Builder
	if _, err := r.stack.Preview(t.Context(), append(opts, optpreview.ProgressStreams(&said))...); err != nil {
		t.Fatalf("preview: %v", err)
	}
	return said.String()
}

func declare(ctx *pulumi.Context, token, name string, inputs pulumi.Map, opts ...pulumi.ResourceOption) (*raw, error) {
	r := &raw{}
	return r, ctx.RegisterResource(token, name, inputs, r, opts...)
}

// settings are what the tests below change between updates.
type settings struct {
	cidr, tag, encryption string
	forceDelete           bool
}

// network is a small program with an explicit provider, ids that are unknown at a preview, names made by the engine
// and a name chosen by the program.
func (s *settings) network(ctx *pulumi.Context) error {
	cloud := &pulumi.ProviderResourceState{}
	err := ctx.RegisterResource("pulumi:providers:aws", "cloud", pulumi.Map{
		"region":      pulumi.String("eu-central-1"),
		"defaultTags": pulumi.Map{"tags": pulumi.StringMap{"Stack": pulumi.String(s.tag)}},
	}, cloud)
	if err != nil {
		return err
	}
	opt := pulumi.Provider(cloud)
	vpc, err := declare(ctx, account.VPC, "net", pulumi.Map{"cidrBlock": pulumi.String(s.cidr)}, opt)
	if err != nil {
		return err
	}
	if _, err := declare(ctx, account.InternetGateway, "way-out", pulumi.Map{"vpcId": vpc.ID()}, opt); err != nil {
		return err
	}
	for _, name := range []string{"", "fixed"} {
		inputs := pulumi.Map{
			"forceDelete":              pulumi.Bool(s.forceDelete),
			"encryptionConfigurations": pulumi.Array{pulumi.Map{"encryptionType": pulumi.String(s.encryption)}},
		}
		if name != "" {
			inputs["name"] = pulumi.String(name)
		}
		repository, err := declare(ctx, account.Repository, "web"+name, inputs, opt)
		if err != nil {
			return err
		}
		ctx.Export("repository"+name, repository.ID())
	}
	return nil
}

func TestEngineLifecycle(t *testing.T) {
	r := newRig(t)
	s := &settings{cidr: "10.0.0.0/16", tag: "dev", encryption: "AES256"}
	r.program = s.network

	if said := r.preview(t); !strings.Contains(said, "+ 6 to create") || len(r.account.All()) != 0 {
		t.Errorf("first preview said %q with %d resources in the account", said, len(r.account.All()))
	}
	if got := r.up(t); got["create"] != 6 { // four resources, the stack, the provider
		t.Errorf("first up: %v, want 6 created", got)
	}
	if got := r.up(t); len(got) != 0 {
		t.Errorf("second up: %v, want nothing changed", got)
	}
	vpc := r.account.ByType(account.VPC)[0]
	if tags, _ := vpc.Properties["tagsAll"].(map[string]any); tags["Stack"] != "dev" {
		t.Errorf("tagsAll = %v, want the provider's default tags", tags)
	}

	s.tag = "test"
	if got := r.up(t); got["update"] != 5 || len(got) != 1 { // the provider too
		t.Errorf("other default tags: %v, want 5 updated in place", got)
	}
	if after := r.account.ByType(account.VPC)[0]; after.ID != vpc.ID {
		t.Errorf("VPC %s became %s by an update in place", vpc.ID, after.ID)
	}

	s.cidr, s.encryption = "10.9.0.0/16", "KMS"
	if said := r.preview(t, optpreview.Diff()); !strings.Contains(said, `cidrBlock: "10.0.0.0/16" => "10.9.0.0/16"`) {
		t.Errorf("preview does not name the property that replaces: %s", said)
	}
	before := r.account.ByType(account.Repository)
	if got := r.up(t); got["replace"] != 3 || got["update"] != 1 || len(got) != 2 { // the gateway moves
		t.Errorf("other block and encryption: %v, want 3 replaced and 1 updated", got)
	}
	after := r.account.ByType(account.Repository)
	if len(r.account.All()) != 4 || after[0].ID == before[0].ID && after[1].ID == before[1].ID {
		t.Errorf("repositories %v became %v, want a new made name", before, after)
	}

	r.store.images["fixed"] = 2
	if _, err := r.stack.Destroy(t.Context()); err == nil || !strings.Contains(err.Error(), "RepositoryNotEmptyException") {
		t.Errorf("destroy with images in the registry: %v, want RepositoryNotEmptyException", err)
	}
	s.forceDelete = true
	r.up(t)
	if _, err := r.stack.Destroy(t.Context()); err != nil {
		t.Fatalf("destroy: %v", err)
	}
	if left := r.account.All(); len(left) != 0 || r.store.images["fixed"] != 0 {
		t.Errorf("destroy left %v and %v", left, r.store.images)
	}
}

func TestEngineRefusals(t *testing.T) {
	r := newRig(t)
	tests := []struct {
		name, token string
		inputs      pulumi.Map
		want        []string
	}{
		{"violations, all of them", account.Repository, pulumi.Map{"name": pulumi.String("Web"), "imageTagMutability": pulumi.String("NEVER"), "colour": pulumi.String("red")},
			[]string{"name: ", "imageTagMutability: ", "colour: unknown property"}},
		{"what does not exist", account.Subnet, pulumi.Map{"vpcId": pulumi.String("vpc-1"), "cidrBlock": pulumi.String("10.0.0.0/24")},
			[]string{`creating Subnet "it"`, "vpcId: InvalidVpcID.NotFound"}},
		{"unknown type", "aws:sqs/queue:Queue", pulumi.Map{}, []string{"aws:sqs/queue:Queue", "does not know it"}},
		{"unknown region", "pulumi:providers:aws", pulumi.Map{"region": pulumi.String("eu-center-1")}, []string{"invalid AWS Region: eu-center-1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r.program = func(ctx *pulumi.Context) error {
				_, err := declare(ctx, tt.token, "it", tt.inputs)
				return err
			}
			_, err := r.stack.Up(t.Context())
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("up: %v, want %q in it", err, want)
				}
			}
			if left := r.account.All(); len(left) != 0 {
				t.Errorf("the account has %v after a refusal", left)
			}
		})
	}
}

// Secrets stay secret on their way through the provider, and functions answer.
func TestEngineSecretsAndFunctions(t *testing.T) {
	r := newRig(t)
	r.program = func(ctx *pulumi.Context) error {
		var zones struct {
			Names []string `pulumi:"names"`
		}
		if err := ctx.Invoke("aws:index/getAvailabilityZones:getAvailabilityZones", map[string]any{"state": "available"}, &zones); err != nil {
			return err
		}
		ctx.Export("zones", pulumi.ToStringArray(zones.Names))
		variable := &struct {
			pulumi.CustomResourceState
			Value pulumi.StringOutput `pulumi:"value"`
		}{}
		err := ctx.RegisterResource(account.ActionsVariable, "v", pulumi.Map{
			"repository": pulumi.String("web"), "variableName": pulumi.String("TOKEN"), "value": pulumi.ToSecret(pulumi.String("hunter2")),
		}, variable)
		ctx.Export("value", variable.Value)
		return err
	}
	r.up(t)
	outputs, err := r.stack.Outputs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := outputs["zones"].Value; fmt.Sprint(got) != "[eu-central-1a eu-central-1b eu-central-1c]" {
		t.Errorf("zones = %v", got)
	}
	if value := outputs["value"]; !value.Secret || value.Value != "hunter2" {
		t.Errorf("value = %+v, want a secret", value)
	}
}
