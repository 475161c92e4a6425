package infra

import (
	"fmt"
	"strings"
)

// securityDocument is docs/security.md.
func securityDocument() string {
	var b strings.Builder
	b.WriteString(securityIntroduction)
	b.WriteString("\n## What is kept\n\nBy every configuration; `go test ./infra -run TestSecurity` holds the rules against the program.\n")
	writeRules(&b, false)
	b.WriteString("\n## What is not kept, and why\n")
	writeRules(&b, true)
	b.WriteString(securityOutside)
	return b.String()
}

// writeRules writes the rules that are exceptions, or those that are not, as a table.
func writeRules(b *strings.Builder, exceptions bool) {
	header := "\n| | Rule | Known as |\n|---|---|---|\n"
	if exceptions {
		header = "\n| | Rule | Known as | Why |\n|---|---|---|---|\n"
	}
	b.WriteString(header)
	subject := ""
	for _, r := range securityRules {
		if (r.reason != "") != exceptions {
			continue
		}
		shown := ""
		if r.subject != subject {
			subject, shown = r.subject, r.subject
		}
		fmt.Fprintf(b, "| %s | %s | %s |", shown, strings.ReplaceAll(r.rule, "*", `\*`), r.ids)
		if exceptions {
			fmt.Fprintf(b, " %s |", r.reason)
		}
		b.WriteString("\n")
	}
}

const securityIntroduction = `# Security

Written by ` + "`go test ./infra -run TestSecurityDocument -update`" + ` from infra/security_rules_test.go. Change that.

## Who can do what

- **Who may push to the branch** decides what runs: in the build, with the build's role, and on the host, where the release's hooks
  run as root and the application in a container. Protect the branch; ` + "`manageRepository`" + ` forbids to rewrite or delete it, and
  ` + "`approval`" + ` has a person look at each release.
- **The build's role** can push images under new tags, and read and write artifacts. It cannot overwrite an image. What it stores as a
  bundle is what the host runs.
- **The host's role** can pull images and read artifacts. Containers do not get it: the hop limit keeps instance metadata from them.
- **The pipeline's role** can start the build and the deployment. [Permissions](permissions.md) lists what each role may do, with AWS's reason for each.
- **People** reach the host through Session Manager, or by SSH from ` + "`operatorIp`" + ` alone when that is set.

## What reaches a shell

Nothing of a commit but its files and its id: not the message, the author or the branch, which CodePipeline offers as variables
too. The id is checked to be 40 hexadecimal digits before a script uses it. ` + "`rehearsal/hostile_test.go`" + ` releases a commit whose
message, author, file and branch names are shell commands, and looks for what they would have done.

## Secrets

The program needs one, and only with ` + "`manageRepository`" + `: a token for GitHub, from ` + "`GITHUB_TOKEN`" + ` or as an encrypted setting. A
fine-grained one for this repository alone is enough, with *Administration* (ruleset, environment) and *Variables*
(read and write) and *Actions* (read). It
reaches the GitHub provider alone: no other resource, output, log, build or host. Roles have no keys: services get credentials that
expire, ECR logins are made where they are used, in a folder that is removed with the script.
`

const securityOutside = `
## What is not this program's

What belongs to the account rather than to one application in it: CloudTrail, AWS Config, GuardDuty, Security Hub, Inspector, encryption
of EBS by default (EC2.7), the rules for users and passwords (IAM.3 to IAM.8, CIS 1 and 4).
`
