package infra

import (
	"fmt"
	"strings"
)

// securityDocument is docs/security.md.
func securityDocument() string {
	var b strings.Builder
	b.WriteString(securityIntroduction)
	b.WriteString("\n## Rules that hold\n\nIn every configuration; `go test ./infra -run TestSecurity` checks them against the program.\n")
	writeRules(&b, false)
	b.WriteString("\n## Exceptions, and why\n")
	writeRules(&b, true)
	b.WriteString(securityOutside)
	return b.String()
}

// writeRules writes either the exceptions or the other rules as a table.
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

Written by ` + "`go test ./infra -run TestSecurityDocument -update`" + ` from infra/security_rules_test.go. Edit that file.

## Who can do what

- **Who may push to the branch** decides what runs: in the build, with the build's role, and on the host, where the release's hooks
  run as root and the application in a container. Protect the branch; ` + "`manageRepository`" + ` prevents rewriting or deleting it, and
  ` + "`approval`" + ` requires a person to approve each release.
- **The build's role** can push images under new tags, and read and write artifacts. It cannot overwrite an image. The host runs the
  bundle that it stores.
- **The host's role** can pull images and read artifacts. Containers cannot get it: the hop limit keeps them from instance metadata.
- **The pipeline's role** can start the build and the deployment. [Permissions](permissions.md) lists what each role may do, with AWS's reason for each.
- **People** reach the host through Session Manager, or by SSH, only from ` + "`operatorIp`" + ` and only when it is set.

## What reaches a shell

Only a commit's files and its id do: not its message, author or branch, which CodePipeline also offers as variables. Scripts check
that the id is 40 hexadecimal digits before they use it. ` + "`rehearsal/hostile_test.go`" + ` releases a commit whose
message, author, file and branch names are shell commands, and checks that none of them ran.

## Secrets

The program needs one, and only with ` + "`manageRepository`" + `: a GitHub token, from ` + "`GITHUB_TOKEN`" + ` or as an encrypted setting. A
fine-grained token for this repository is enough, with *Administration* (ruleset, environment) and *Variables* (read and
write) and *Actions* (read). Only the GitHub provider gets it: no other resource, output, log, build or host does. Roles have
no keys: services get credentials that expire. Scripts log in to ECR where they need it, in a folder that they remove when
they end.
`

const securityOutside = `
## Out of scope

What belongs to the account rather than to one application: CloudTrail, AWS Config, GuardDuty, Security Hub, Inspector, encryption
of EBS by default (EC2.7), the rules for users and passwords (IAM.3 to IAM.8, CIS 1 and 4).
`
