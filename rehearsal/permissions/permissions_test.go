package permissions

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"cicd/internal/docker/dockertest"
	"cicd/internal/testproject"
	"cicd/rehearsal"
	"cicd/rehearsal/console"
	"cicd/rehearsal/rehearsaltest"
	"cicd/rehearsal/world"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// TestPermissions rehearses both stacks, and one with every key that an application can use. Nothing may be granted in vain, and the audit must notice every way in which a
// policy becomes worse.
func TestPermissions(t *testing.T) {
	dockertest.Need(t)
	for _, stack := range []string{"dev", "prod", testproject.FullStack} {
		t.Run(stack, func(t *testing.T) {
			t.Parallel()
			project := testproject.New(t)
			if stack == testproject.FullStack {
				testproject.UseAllKeys(t, project)
			}
			r, log := rehearsaltest.StartedStack(t, project, stack)
			if _, _, err := r.ReleaseChange(t.Context()); err != nil {
				t.Fatalf("%v\n%s", err, log)
			}
			acct, uses := r.Account(), r.Authority().Uses()
			a, err := newAudit(acct, uses, exemptions)
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range a.problems {
				t.Error(problem)
			}
			for line := range strings.Lines(a.text(stack)) {
				if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > console.Width {
					t.Errorf("a line of %d characters: %s", n, line)
				}
			}
			mutations := slices.Concat(grantMutations(t, acct), trustMutations(t, acct), bucketMutations(t, acct))
			used := purposes(uses)
			mutations = slices.DeleteFunc(mutations, func(m mutation) bool { return m.role != "" && !used[m.role] }) // its grants are exempt, or a problem
			for _, m := range mutations {
				a, err := newAudit(m.on(acct), uses, exemptions)
				if err == nil && len(a.problems) == 0 {
					t.Errorf("%s: nobody notices", m.name)
				}
			}
			t.Logf("%d grants, %d refusals, %d mutations", len(a.grants), a.refused, len(mutations))
			if len(mutations) < 100 {
				t.Errorf("%d mutations: too few to be all", len(mutations))
			}
			checkCalls(t, a, uses)
			if stack == rehearsal.DefaultStack {
				t.Run("denials stop the pipeline", func(t *testing.T) { testDenials(t, r) })
			}
		})
	}
}

// testDenials actually removes permissions. The release must fail in the stage that needs them, with AWS's words and the
// remedy, while the previous one keeps serving.
func testDenials(t *testing.T, r *world.World) {
	clone := r.Workspace.Path("clone")
	good := testproject.Git(t, clone, "rev-parse", "HEAD")
	tests := []struct{ role, action, stage, component string }{
		{"pipeline", "codeconnections:UseConnection", "Source", "Pipeline"},
		{"pipeline", "s3:PutObjectAcl", "Source", "Pipeline"},
		{"pipeline", "codebuild:StartBuild", "Build", "Pipeline"},
		{"pipeline", "codedeploy:CreateDeployment", "Deploy", "Pipeline"},
		{"build", "logs:CreateLogStream", "Build", "Build"},
		{"build", "s3:GetObject", "Build", "Build"},
		{"build", "ecr:DescribeImages", "Build", "Build"},
		{"build", "ecr:PutImage", "Build", "Build"},
		{"deploy", "ec2:DescribeInstances", "Deploy", "Target"},
		{"host", "s3:GetObjectVersion", "Deploy", "Target"},
		{"host", "ecr:BatchGetImage", "Deploy", "Target"},
	}
	for _, tt := range tests {
		t.Run(tt.role+" without "+tt.action, func(t *testing.T) {
			policies := r.Account().ByType(account.RolePolicy)
			i := slices.IndexFunc(policies, func(p account.Resource) bool { return strings.HasSuffix(p.Name, "-"+tt.role+"-policy") })
			whole := policies[i]
			broken := mutate(t, whole, "policy", func(p *policy) {
				for i := len(p.Statement) - 1; i >= 0; i-- {
					if slices.Contains(texts(p.Statement[i]["Action"]), tt.action) {
						withoutAction(i, tt.action)(p)
					}
				}
			})
			r.Account().Put(broken)
			defer r.Account().Put(whole)
			_, id, err := r.CommitChange(t.Context(), clone, tt.role+" without "+tt.action)
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.Release(t.Context(), clone, id)
			if err == nil {
				t.Fatal("the release succeeded")
			}
			for _, want := range []string{
				"stage " + tt.stage, "is not authorized to perform: " + tt.action + " on resource: ",
				"because no identity-based policy allows the " + tt.action + " action",
				`"Action":"` + tt.action + `"`, "in component " + tt.component + " needs the statement",
			} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q:\n%v", want, err)
				}
			}
			if err := r.Serves(t.Context(), good); err != nil {
				t.Errorf("the previous release does not go on serving: %v", err)
			}
		})
	}
}

// purposes lists the purposes of the roles whose permissions somebody has used.
func purposes(uses []iam.Use) map[string]bool {
	used := map[string]bool{}
	for _, u := range uses {
		if len(u.Grants) > 0 {
			used[u.Role[strings.LastIndex(u.Role, "-")+1:]] = true
		}
	}
	return used
}

// checkCalls compares the table of needs with the calls of a rehearsal.
func checkCalls(t *testing.T, a audit, uses []iam.Use) {
	t.Helper()
	made, used := map[string]bool{}, purposes(uses)
	for _, u := range uses {
		if len(u.Grants) > 0 {
			made[u.Role[strings.LastIndex(u.Role, "-")+1:]+" "+u.Action] = true
		}
	}
	for _, g := range a.grants {
		if g.reason != "" && used[g.Role[strings.LastIndex(g.Role, "-")+1:]] {
			made[g.Role[strings.LastIndex(g.Role, "-")+1:]+" "+g.Action] = true
		}
	}
	listed := map[string]bool{}
	for _, n := range needs {
		for _, action := range n.actions {
			key := n.role + " " + action
			listed[key] = true
			if !made[key] {
				t.Errorf("needs_test.go lists %s, and no rehearsal makes that call", key)
			}
		}
	}
	for _, n := range furtherNeeds {
		for _, action := range n.actions {
			listed[n.role+" "+action] = true
		}
	}
	for key := range made {
		if !listed[key] {
			t.Errorf("a rehearsal calls %s, which needs_test.go does not list", key)
		}
	}
}

var update = flag.Bool("update", false, "rewrite the documents that are written from Go tables")

func TestPermissionsDocument(t *testing.T) {
	const file = "../../docs/permissions.md"
	want := permissionsDocument()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("%s is not what the tables say (%v): go test ./rehearsal/permissions -run TestPermissionsDocument -update", file, err)
	}
}
