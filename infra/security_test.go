package infra

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// configurations returns everything the rules are checked against: each setting by itself, and the stacks that come
// with the project, before and after the connection is authorized.
func configurations(t *testing.T) map[string]map[string]string {
	t.Helper()
	configs := map[string]map[string]string{
		"connection pending": with(),
		"pipeline":           with("connectionAuthorized", "true"),
		"connection given":   with("connectionArn", testConnection),
		"approval":           with("approval", "true", "connectionAuthorized", "true"),
		"operator":           with("operatorIp", "198.51.100.7", "connectionAuthorized", "true"),
		"operator's key":     with("operatorIp", "198.51.100.0/24", "sshPublicKey", testKey, "connectionAuthorized", "true"),
		"ARM":                with("instanceType", "t4g.small", "connectionAuthorized", "true"),
		"protect":            with("protect", "true", "connectionAuthorized", "true"),
		"repository":         with("manageRepository", "true", "connectionAuthorized", "true"),
		"own secrets":        with("secrets", `{"A":""}`, "buildSecrets", `{"B":""}`),
		"others' secrets":    with("secrets", `{"A":"`+testParameter+`","B":"`+testSecret+`#b"}`, "buildSecrets", `{"C":"`+testParameter+`","D":"`+testSecret+`"}`),
		"app policies":       with("appPolicyArns", `["`+testPolicy+`"]`),
		"scripts of stack":   with("deployScripts", "stack"),
		"egress ports":       with("egressPorts", `[5432,587]`),
		"existing network":   with("vpcId", testVpc, "subnetIds", `["`+testSubnet+`"]`),
		"volumes":            with("volumes", `{"uploads":"/app/uploads"}`),
		"domain":             with("domain", "shop.example.com"),
		"zone":               with("domain", "shop.example.com", "hostedZoneId", testZone),
		"every key":          everyKey(),
	}
	for _, stack := range []string{"dev", "prod"} {
		var file struct{ Config map[string]any }
		readYAML(t, "../Pulumi."+stack+".yaml", &file)
		for _, authorized := range []string{"false", "true"} {
			config := map[string]string{}
			for key, value := range file.Config {
				config[key] = fmt.Sprint(value)
			}
			config["cicd:connectionAuthorized"] = authorized
			configs["stack "+stack+", authorized "+authorized] = config
		}
	}
	return configs
}

// TestSecurity checks every rule against every configuration. A rule with a reason is an exception and must be needed
// somewhere: an unneeded exception would hide a later violation.
func TestSecurity(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "test")
	configs := configurations(t)
	needed := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		rec := run(t, configs[name])
		v := view{rec, map[string]bool{}}
		for _, r := range securityRules {
			problems := r.check(v)
			needed[r.subject+r.rule] = needed[r.subject+r.rule] || len(problems) > 0
			t.Run(name+"/"+r.ids+": "+r.rule, func(t *testing.T) {
				if r.reason == "" && len(problems) > 0 {
					t.Errorf("%s: %s", r.subject, strings.Join(problems, "; "))
				}
			})
		}
		for token := range rec.counts() {
			_, kind, _ := strings.Cut(token, ":")
			if !v.asked[kind] && !slices.Contains(noRule, kind) && !strings.HasPrefix(token, "cicd:") && !strings.HasPrefix(token, "pulumi:") {
				t.Errorf("%s: no rule is about %s: add one, or add it to noRule", name, token)
			}
		}
	}
	for _, r := range securityRules {
		if r.reason != "" && !needed[r.subject+r.rule] {
			t.Errorf("%s: %s: every configuration keeps this rule, so take the reason away: %s", r.subject, r.rule, r.reason)
		}
	}
}

// view is a recorded stack as the rules see it.
type view struct {
	*recorder
	asked map[string]bool // types that a rule has looked at
}

// every returns the resources of a type that break a rule.
func (v view) every(kind string, keeps func(p props) bool) []string {
	v.asked[kind] = true
	var broken []string
	for _, a := range v.ofType(kind) {
		if p := propsOf(a); !keeps(p) {
			broken = append(broken, "broken by "+a.Name)
		}
	}
	return broken
}

// has reports whether each resource of a type has one of another type: it compares their numbers.
func (v view) has(kind, pointed string) func(p props) bool {
	v.asked[pointed] = true
	return func(p props) bool { return len(v.ofType(pointed)) >= len(v.ofType(kind)) }
}

// none returns the resources of a type that should have none.
func (v view) none(kind string) []string {
	return v.every(kind, func(props) bool { return false })
}

// props are a resource's inputs.
type props struct {
	name   string
	inputs map[string]any
}

func propsOf(a pulumi.MockResourceArgs) props { return props{a.Name, a.Inputs.Mappable()} }

// at returns the value at a path such as "rules.0.id", or nil if the path does not exist.
func (p props) at(path string) any {
	var here any = p.inputs
	for _, step := range strings.Split(path, ".") {
		switch value := here.(type) {
		case map[string]any:
			here = value[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(value) {
				return nil
			}
			here = value[i]
		default:
			return nil
		}
	}
	return here
}

func (p props) is(path string, want any) bool { return fmt.Sprint(p.at(path)) == fmt.Sprint(want) }

func (p props) text(path string) string {
	text, _ := p.at(path).(string)
	return text
}

// TestSecretStaysInProvider: only the GitHub provider has the token for GitHub, as a secret.
func TestSecretStaysInProvider(t *testing.T) {
	const token = "correct-horse-battery-staple"
	t.Setenv("GITHUB_TOKEN", "")
	rec := run(t, with("manageRepository", "true", "connectionAuthorized", "true", "github:token", token))
	for _, a := range rec.seen {
		if held := strings.Contains(fmt.Sprint(a.Inputs), token); held != (a.TypeToken == "pulumi:providers:github") || held && !a.Inputs["token"].IsSecret() {
			t.Errorf("%s %s: holds the token: %v, want it in the GitHub provider alone, as a secret", a.TypeToken, a.Name, held)
		}
	}
	if text := fmt.Sprint(rec.outputs); strings.Contains(text, token) || len(rec.outputs) == 0 {
		t.Errorf("outputs %s: want some, and none with the token", text)
	}
}

var update = flag.Bool("update", false, "rewrite docs/security.md")

// TestSecurityDocument keeps docs/security.md equal to the table.
func TestSecurityDocument(t *testing.T) {
	const file = "../docs/security.md"
	want := securityDocument()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("%s differs from the rules (%v): run go test ./infra -run TestSecurityDocument -update", file, err)
	}
}
