package permissions

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

// mutation makes a declared policy worse in one way.
type mutation struct {
	name string
	role string // the purpose of the role that it is about; "" for none
	// resource is the changed declaration; a nil property set deletes it.
	resource account.Resource
}

// on returns a copy of the account with the mutation.
func (m mutation) on(acct *account.Account) *account.Account {
	mutant := account.New(acct.ID())
	mutant.SetRegion(acct.Region())
	for _, r := range acct.All() {
		if r.URN == m.resource.URN && r.ID == m.resource.ID {
			r = m.resource
		}
		if r.Properties != nil {
			mutant.Put(r)
		}
	}
	return mutant
}

// policy is a policy document that tests can change.
type policy struct {
	Version   string
	Statement []map[string]any
}

// mutate returns r with a changed copy of the policy in its property. A policy without statements is deleted.
func mutate(t *testing.T, r account.Resource, property string, change func(*policy)) account.Resource {
	t.Helper()
	p := parsePolicy(t, r, property)
	change(&p)
	r.Properties = maps.Clone(r.Properties)
	if len(p.Statement) == 0 {
		r.Properties = nil
		return r
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	r.Properties[property] = string(text)
	return r
}

func parsePolicy(t *testing.T, r account.Resource, property string) policy {
	t.Helper()
	var p policy
	if err := json.Unmarshal([]byte(r.String(property)), &p); err != nil {
		t.Fatalf("%s: %v", r.URN, err)
	}
	return p
}

// texts returns the strings of an element that may be one string or a list.
func texts(element any) []string {
	if text, ok := element.(string); ok {
		return []string{text}
	}
	var list []string
	for _, item := range element.([]any) {
		list = append(list, item.(string))
	}
	return list
}

// withoutAction removes an action from the i-th statement, and the statement with its last one.
func withoutAction(i int, action string) func(*policy) {
	return func(p *policy) {
		s := p.Statement[i]
		rest := slices.DeleteFunc(texts(s["Action"]), func(a string) bool { return a == action })
		if s["Action"] = rest; len(rest) == 0 {
			p.Statement = slices.Delete(p.Statement, i, i+1)
		}
	}
}

// with sets an element of the i-th statement; nil removes it.
func with(i int, element string, value any) func(*policy) {
	return func(p *policy) {
		p.Statement[i][element] = value
		if value == nil {
			delete(p.Statement[i], element)
		}
	}
}

// purpose is that of a role, by the name of the role or of its policy: "host" for cicd-dev-host-role.
func purpose(r account.Resource, suffix string) string {
	name := strings.TrimSuffix(r.Name, suffix)
	return name[strings.LastIndex(name, "-")+1:]
}

// grantMutations removes each granted action, and widens each statement.
func grantMutations(t *testing.T, acct *account.Account) []mutation {
	t.Helper()
	var list []mutation
	for _, r := range acct.ByType(account.RolePolicy) {
		add := func(name string, change func(*policy)) {
			list = append(list, mutation{r.Name + " " + name, purpose(r, "-policy"), mutate(t, r, "policy", change)})
		}
		for i, s := range parsePolicy(t, r, "policy").Statement {
			sid, actions := s["Sid"].(string), texts(s["Action"])
			for _, action := range actions {
				add(sid+" without "+action, withoutAction(i, action))
			}
			service, _, _ := strings.Cut(actions[0], ":")
			add(sid+" with "+service+":*", with(i, "Action", append(actions, service+":*")))
			add(sid+" with one more action", with(i, "Action", append(actions, service+":DeleteEverything")))
			if !slices.Contains(texts(s["Resource"]), "*") {
				add(sid+" on everything", with(i, "Resource", "*"))
			}
		}
	}
	return list
}

// trustMutations changes who may assume each role.
func trustMutations(t *testing.T, acct *account.Account) []mutation {
	t.Helper()
	var list []mutation
	for _, r := range acct.ByType(account.Role) {
		add := func(name string, change func(*policy)) {
			list = append(list, mutation{r.Name + " " + name, purpose(r, "-role"), mutate(t, r, "assumeRolePolicy", change)})
		}
		add("trusts another service", with(0, "Principal", map[string]any{"Service": "lambda.amazonaws.com"}))
		add("trusts everyone", with(0, "Principal", map[string]any{"AWS": "*"}))
		conditions, _ := parsePolicy(t, r, "assumeRolePolicy").Statement[0]["Condition"].(map[string]any)
		if len(conditions) > 0 {
			add("without conditions", with(0, "Condition", nil))
		}
		for operator, keys := range conditions {
			for key := range keys.(map[string]any) {
				add("with another "+key, func(p *policy) {
					p.Statement[0]["Condition"].(map[string]any)[operator].(map[string]any)[key] = "arn:aws:codebuild:eu-central-1:999999999999:project/other"
				})
				// The ARN of the source contains its account, so aws:SourceAccount beside it refuses nothing more.
				if key != "aws:SourceAccount" {
					add("without "+key, func(p *policy) { delete(p.Statement[0]["Condition"].(map[string]any), operator) })
				}
			}
		}
	}
	return list
}

// bucketMutations weakens the policy of the artifact bucket.
func bucketMutations(t *testing.T, acct *account.Account) []mutation {
	t.Helper()
	var list []mutation
	for _, r := range acct.ByType(account.BucketPolicy) {
		add := func(name string, change func(*policy)) {
			list = append(list, mutation{"bucket policy " + name, "", mutate(t, r, "policy", change)})
		}
		resources := texts(parsePolicy(t, r, "policy").Statement[0]["Resource"])
		add("removed", func(p *policy) { p.Statement = nil })
		add("on the bucket alone", with(0, "Resource", resources[:1]))
		add("on the objects alone", with(0, "Resource", resources[1:]))
		add("on reading alone", with(0, "Action", "s3:Get*"))
		add("on another principal", with(0, "Principal", map[string]any{"AWS": acct.ID()[:11] + "9"}))
		add("that refuses TLS", with(0, "Condition", map[string]any{"Bool": map[string]any{"aws:SecureTransport": "true"}}))
		add("that allows", with(0, "Effect", "Allow"))
	}
	return list
}
