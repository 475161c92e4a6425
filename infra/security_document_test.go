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

Written by ` + "`go test ./infra -run TestSecurityDocument -update`" + ` from infra/security_rules_test.go and the files beside it. Edit those.

## Who can do what

- **Who may push to the branch** decides what runs: in the build, with the build's role, and on the host, where the release's hooks
  run as root and the application in a container. Protect the branch; ` + "`manageRepository`" + ` prevents rewriting or deleting it, and
  ` + "`approval`" + ` requires a person to approve each release. With ` + "`deployScripts: stack`" + ` a push decides only what is in the image and in its
  containers: the build runs nothing of the repository outside ` + "`docker build`" + `, which gets none of the build's credentials, and the
  hooks come from this program. Then **who may change the stack** decides what runs in builds and as root on the host.
- **The build's role** can push images under new tags, and read and write artifacts. It cannot overwrite an image. The host runs the
  bundle that it stores.
- **The host's role** can pull images, read artifacts, write the application's log, and read the secrets that the stack names: its own
  parameters by their path, others by their ARNs. Containers cannot get it: the hop limit keeps them from instance metadata.
- **The application**, if ` + "`appPolicyArns`" + ` is set, has the host's role, with those policies: the hop limit is 2. Whoever runs code in a
  container then also reads the artifacts and every secret of the stack, pulls its images and writes its log. Without it, a container
  has the variables that it is given, and nothing of AWS.
- **The pipeline's role** can start the build and the deployment. [Permissions](permissions.md) lists what each role may do, with AWS's reason for each.
- **The snapshots' role**, of a stack with ` + "`volumes`" + `, can take snapshots of that volume, and delete those that are tagged as the stack's.
- **People** reach the host through Session Manager, or by SSH, only from ` + "`operatorIp`" + ` and only when it is set.

## What reaches a shell

Only a commit's files and its id do: not its message, author or branch, which CodePipeline also offers as variables. Scripts check
that the id is 40 hexadecimal digits before they use it. ` + "`rehearsal/hostile_test.go`" + ` releases a commit whose
message, author, file and branch names are shell commands, and checks that none of them ran.

## HTTPS

With ` + "`domain`" + `, the edge has a certificate of Let's Encrypt, gets it by itself and renews it. It accepts TLS 1.2 and 1.3, with the cipher
suites that Go's crypto/tls considers secure. Private keys are made on the host and stay there, in the Docker volume ` + "`webapp-edge-data`" + `, which
only root can read. Once there is a certificate, HTTP for the domain redirects to HTTPS, and answers over HTTPS carry
` + "`Strict-Transport-Security`" + ` for half a year, unless the application sets that header itself. Before that, and for requests by the
host's address, everything is served over HTTP. Where a CA still has OCSP, the edge staples its answers; Let's Encrypt has none any more.
Early data (0-RTT) is off, because it can be replayed.

Without ` + "`domain`" + `, visitors use HTTP alone: nothing that they send or get is encrypted.

## Secrets

**The application's** are named in ` + "`secrets`" + ` and ` + "`buildSecrets`" + `, and their values never pass through Pulumi: ` + "`cicd secrets set`" + ` puts them
into this stack's parameters, encrypted with the account's key for Parameter Store. Builds and hosts fetch them with their own
roles. A map of the configuration that is encrypted is rejected, since its values would end as plain text in the state and in every
release. Docker keeps a container's environment, secrets included, in a file that only root can read, and shows it to who may use Docker.

The program needs one of its own, and only with ` + "`manageRepository`" + `: a GitHub token, from ` + "`GITHUB_TOKEN`" + ` or as an encrypted setting. A
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
