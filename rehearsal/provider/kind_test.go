package provider

import (
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"cicd/rehearsal/aws/account"
)

func TestEveryKindHasAnExample(t *testing.T) {
	missing := map[string]bool{}
	for token := range kinds {
		missing[token] = true
	}
	for _, e := range examples {
		delete(missing, e.token)
	}
	for token := range missing {
		t.Errorf("%s has no example, so nothing shows that it can be declared", token)
	}
}

func TestCompleteStack(t *testing.T) {
	w := newWorld(t)
	for _, e := range examples {
		out, err := w.declare(e.token, e.name, w.inputs(e))
		if err != nil {
			t.Fatalf("%s: %v", e.name, err)
		}
		for name := range kinds[e.token].computed {
			if out[name] == nil {
				t.Errorf("%s: output %s has no value", e.name, name)
			}
		}
		if containsUnknown(map[string]any(out)) {
			t.Errorf("%s: unknown outputs after creation: %v", e.name, out)
		}
		r, ok := w.options.Account.Find(e.token, "id", w.ids[e.name])
		if !ok || r.Name != e.name || r.ID == "" {
			t.Errorf("%s: recorded as %+v", e.name, r)
		}
	}
}

// A preview of a new stack knows no ids, and must not complain about them.
func TestPreviewToleratesUnknowns(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			w := newWorld(t)
			w.declareUntil(e.name)
			inputs := w.inputs(e)
			for _, path := range leaves(inputs, "") {
				if _, err := w.check(e.token, e.name, with(t, inputs, path, unknown{})); err != nil {
					t.Errorf("%s unknown: %v", path, err)
				}
			}
		})
	}
}

func TestPreviewOutputs(t *testing.T) {
	w := newWorld(t)
	properties, err := toWire(values{"cidrBlock": "10.0.0.0/16"})
	if err != nil {
		t.Fatal(err)
	}
	response, err := w.Create(w.ctx, &pulumirpc.CreateRequest{Urn: urnOf(account.VPC, "vpc"), Properties: properties, Preview: true})
	if err != nil {
		t.Fatal(err)
	}
	out := fromWire(response.Properties)
	if out["arn"] != (unknown{}) || out["cidrBlock"] != "10.0.0.0/16" || out["enableDnsSupport"] != true {
		t.Errorf("preview of a VPC = %v, want its arn unknown, its block and its defaults known", out)
	}
	if response.Id != "" || len(w.options.Account.All()) != 0 {
		t.Error("a preview created something")
	}
}

func TestClosedTables(t *testing.T) {
	for _, e := range examples {
		w := newWorld(t)
		w.declareUntil(e.name)
		inputs := w.inputs(e)
		if _, err := w.check(e.token, e.name, with(t, inputs, "colour", "red")); err == nil || !strings.Contains(err.Error(), "colour: unknown property") {
			t.Errorf("%s with a property that nobody knows: error = %v", e.name, err)
		}
		for name, p := range kinds[e.token].inputs {
			if !p.required {
				continue
			}
			if _, err := w.check(e.token, e.name, with(t, inputs, name, nil)); err == nil || !strings.Contains(err.Error(), `missing required property "`+name+`"`) {
				t.Errorf("%s without %s: error = %v", e.name, name, err)
			}
		}
	}
	w := newWorld(t)
	if _, err := w.check("aws:sqs/queue:Queue", "queue", values{}); err == nil || !strings.Contains(err.Error(), "resource type aws:sqs/queue:Queue: the rehearsal does not know it") ||
		!strings.Contains(err.Error(), "rehearsal.yaml beside Pulumi.yaml, with the outputs that the program needs: aws:sqs/queue:Queue: {}") {
		t.Errorf("a type that nobody knows: error = %v", err)
	}
}

// Whatever has a fixed identity can be declared only once, whether by this stack or another.
func TestConflicts(t *testing.T) {
	for _, e := range examples {
		k := kinds[e.token]
		if len(k.unique) == 0 {
			continue
		}
		w := newWorld(t)
		w.declareUntil("")
		want, _, _ := strings.Cut(k.taken, "%s")
		if _, err := w.declare(e.token, e.name+"-again", w.inputs(e)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("second %s: error = %v, want one containing %q", e.name, err, want)
		}
	}
}

func TestAutonaming(t *testing.T) {
	w := newWorld(t)
	out, err := w.declare(account.Repository, "web", values{})
	if err != nil {
		t.Fatal(err)
	}
	name := values(out).text("name")
	if suffix, ok := strings.CutPrefix(name, "web-"); !ok || len(suffix) != randomDigits {
		t.Errorf("name = %q, want web- and %d digits", name, randomDigits)
	}
	if _, err := w.check(account.Connection, "a-logical-name-of-27-letters", values{"providerType": "GitHub"}); err == nil || !strings.Contains(err.Error(), "longer than maximum length 32") {
		t.Errorf("name too long for its random digits: error = %v", err)
	}
}

func TestTags(t *testing.T) {
	w := newWorld(t)
	out, err := w.declare(account.VPC, "vpc", values{"cidrBlock": "10.0.0.0/16", "tags": map[string]any{"Name": "net"}})
	if err != nil {
		t.Fatal(err)
	}
	all := out.block("tagsAll")
	if len(all) != 2 || all["Name"] != "net" || all["ManagedBy"] != "Pulumi" {
		t.Errorf("tagsAll = %v, want the resource's tags and the default ones", all)
	}
	if own := out.block("tags"); len(own) != 2 {
		t.Errorf("tags = %v, want the default ones too, as version 6 of the provider has them", own)
	}
}
