package provider

import (
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"cicd/rehearsal/aws/account"
)

func TestDelete(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(w *world, r values) // sets up the case; r are the recorded properties
		want    string
	}{
		{"vpc", nil, "DependencyViolation"},
		{"gateway", nil, "has some mapped public address(es)"},
		{"subnet", nil, "DependencyViolation"},
		{"group", nil, "has a dependent object"},
		{"table", nil, "DependencyViolation"},
		{"address", nil, "InvalidIPAddress.InUse"},
		{"build-role", nil, "must delete policies first"},
		{"host-role", nil, "must detach all policies first"},
		{"object", nil, ""},
		{"attachment", nil, ""},
		{"repository", func(w *world, _ values) { *w.contents = 3 }, "RepositoryNotEmptyException"},
		{"repository", func(w *world, r values) { *w.contents, r["forceDelete"] = 3, true }, ""},
		{"bucket", func(w *world, _ values) { *w.contents = 3 }, "BucketNotEmpty"},
		{"bucket", func(w *world, r values) { *w.contents, r["forceDestroy"] = 3, true }, ""},
		{"bucket", nil, ""},
		{"pipeline", nil, ""},
		{"project", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name+"/"+tt.want, func(t *testing.T) {
			w := newWorld(t)
			w.declareUntil("")
			e := exampleNamed(t, tt.name)
			r, _ := w.options.Account.Find(e.token, "id", w.ids[e.name])
			if tt.prepare != nil {
				tt.prepare(w, r.Properties)
			}
			_, err := w.Delete(w.ctx, &pulumirpc.DeleteRequest{Urn: r.URN, Id: r.ID})
			_, there := w.options.Account.Find(e.token, "id", r.ID)
			if tt.want == "" {
				if err != nil || there || *w.contents != 0 {
					t.Errorf("delete: %v, still there = %t, contents = %d", err, there, *w.contents)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || !there {
				t.Errorf("delete: error = %v, still there = %t, want it there and an error containing %q", err, there, tt.want)
			}
		})
	}
}

func TestDeleteOfProtectedInstance(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("host")
	e := exampleNamed(t, "host")
	if _, err := w.declare(e.token, e.name, with(t, w.inputs(e), "disableApiTermination", true)); err != nil {
		t.Fatal(err)
	}
	_, err := w.Delete(w.ctx, &pulumirpc.DeleteRequest{Urn: urnOf(e.token, e.name), Id: w.ids["host"]})
	if err == nil || !strings.Contains(err.Error(), "may not be terminated") {
		t.Errorf("error = %v, want OperationNotPermitted", err)
	}
}

// What the provider updates in place although AWS cannot.
func TestUpdatesThatFail(t *testing.T) {
	for _, tt := range []struct{ example, path, value, want string }{
		{"deployment-group", "appName", "web2", "DeploymentGroupDoesNotExistException"},
		{"versioning", "versioningConfiguration.status", "Disabled", "cannot be updated from 'Enabled' to 'Disabled'"},
	} {
		t.Run(tt.example, func(t *testing.T) {
			w := newWorld(t)
			w.declareUntil("")
			if _, err := w.declare(account.Application, "second", values{"name": "web2"}); err != nil {
				t.Fatal(err)
			}
			e := exampleNamed(t, tt.example)
			news, _ := toWire(with(t, w.inputs(e), tt.path, tt.value))
			_, err := w.Update(w.ctx, &pulumirpc.UpdateRequest{Id: w.ids[e.name], Urn: urnOf(e.token, e.name), News: news})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}
