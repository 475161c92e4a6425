package provider_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cicd/rehearsal/aws/account"
)

// A bucket with an object of the stack's is destroyed after the object, however many versions that has.
func TestEngineObject(t *testing.T) {
	r := newRig(t, nil)
	content := "STACK=dev"
	r.program = func(ctx *pulumi.Context) error {
		bucket, err := declare(ctx, account.Bucket, "artifacts", pulumi.Map{"bucket": pulumi.String("artifacts")})
		if err != nil {
			return err
		}
		_, err = declare(ctx, account.BucketObject, "settings", pulumi.Map{
			"bucket": bucket.ID(), "key": pulumi.String("_stack/settings.env"), "content": pulumi.String(content),
		})
		return err
	}
	r.up(t)
	content = "STACK=test"
	if got := r.up(t); got["update"] != 1 || len(got) != 1 || r.store.objects["artifacts"] != 2 {
		t.Errorf("other content: %v and %d versions, want one updated in place and 2", got, r.store.objects["artifacts"])
	}
	if _, err := r.stack.Destroy(t.Context()); err != nil || len(r.account.All()) != 0 || r.store.objects["artifacts"] != 0 {
		t.Errorf("destroy: %v, left %v and %v", err, r.account.All(), r.store.objects)
	}
}

// A type that is taken on trust has any inputs, changes in place, and keeps secrets.
func TestEngineTrust(t *testing.T) {
	r := newRig(t, map[string]map[string]any{"aws:rds/instance:Instance": {"endpoint": "host.docker.internal:5432", "port": 5432.0}})
	class := "db.t4g.micro"
	r.program = func(ctx *pulumi.Context) error {
		database := &struct {
			pulumi.CustomResourceState
			Endpoint      pulumi.StringOutput      `pulumi:"endpoint"`
			InstanceClass pulumi.StringOutput      `pulumi:"instanceClass"`
			Password      pulumi.StringOutput      `pulumi:"password"`
			Groups        pulumi.StringArrayOutput `pulumi:"vpcSecurityGroupIds"`
		}{}
		vpc, err := declare(ctx, account.VPC, "net", pulumi.Map{"cidrBlock": pulumi.String("10.0.0.0/16")})
		if err != nil {
			return err
		}
		err = ctx.RegisterResource("aws:rds/instance:Instance", "db", pulumi.Map{
			"instanceClass": pulumi.String(class), "password": pulumi.ToSecret(pulumi.String("hunter2")), "vpcSecurityGroupIds": pulumi.Array{vpc.ID()},
		}, database)
		ctx.Export("endpoint", database.Endpoint)
		ctx.Export("class", database.InstanceClass)
		ctx.Export("password", database.Password)
		ctx.Export("groups", database.Groups)
		return err
	}
	if said := r.preview(t); !strings.Contains(said, "+ 3 to create") || len(r.server.Trusted()) != 0 {
		t.Errorf("first preview said %q, with %v taken on trust", said, r.server.Trusted())
	}
	if got := r.up(t); got["create"] != 3 {
		t.Errorf("first up: %v, want 3 created", got)
	}
	trusted := r.server.Trusted()
	if len(trusted) != 1 || trusted[0].Name != "db" || trusted[0].ID == "" {
		t.Fatalf("taken on trust: %v, want the database", trusted)
	}
	if got := r.up(t); len(got) != 0 {
		t.Errorf("second up: %v, want nothing changed", got)
	}
	class = "db.t4g.small"
	if got := r.up(t); got["update"] != 1 || len(got) != 1 || r.server.Trusted()[0].ID != trusted[0].ID {
		t.Errorf("another class: %v, want one updated in place", got)
	}
	outputs, err := r.stack.Outputs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if outputs["endpoint"].Value != "host.docker.internal:5432" || outputs["class"].Value != class || fmt.Sprint(outputs["groups"].Value) != "["+r.account.ByType(account.VPC)[0].ID+"]" {
		t.Errorf("outputs = %v", outputs)
	}
	if password := outputs["password"]; !password.Secret || password.Value != "hunter2" || outputs["endpoint"].Secret {
		t.Errorf("password = %+v, want a secret", password)
	}
	if _, err := r.stack.Destroy(t.Context()); err != nil || len(r.account.All()) != 0 {
		t.Errorf("destroy: %v, left %v", err, r.account.All())
	}
}
