package testproject

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"cicd/internal/edit"
)

// FullStack is the stack that UseAllKeys adds.
const FullStack = "full"

// UseAllKeys gives a checkout a stack with every key that an application can use, an application that has a release command
// and a worker, and the values of its secrets for rehearsals. It commits them. The scripts are the stack's, so the application
// has no Makefile.
func UseAllKeys(t *testing.T, dir string) {
	t.Helper()
	Apply(t, dir,
		edit.Write("Pulumi."+FullStack+".yaml", fullSettings),
		edit.Write(".env.rehearsal", fullSecrets),
		edit.Write(".gitignore", "/.env.rehearsal\n"),
		edit.Replace("webapp/main.go", "\tdefault:\n\t\tfmt.Fprintln(os.Stderr, \"usage", fullCommands+"\tdefault:\n\t\tfmt.Fprintln(os.Stderr, \"usage"),
	)
	webapp := filepath.Join(dir, "webapp")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", "server", ".")
	build.Dir, build.Env = webapp, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	PackServer(t, webapp)
	for _, file := range []string{"Makefile", ".dockerignore", "greeting.txt"} { // the greeting is in the server, and no longer a file
		Apply(t, dir, edit.Remove("webapp/"+file))
	}
	Commit(t, dir, "A stack with every key, and what it runs")
}

// The ARNs name what exists in no account: rehearsals make it up.
const (
	fullSettings = `config:
  aws:region: eu-central-1
  cicd:repository: example/webapp
  cicd:environment:
    LOG_LEVEL: debug
    MESSAGE: "two\nlines with \"quotes\" and a \\"
  cicd:secrets:
    API_KEY: ""
    QUEUE_URL: arn:aws:ssm:eu-central-1:123456789012:parameter/team/queue
    DB_PASSWORD: arn:aws:secretsmanager:eu-central-1:123456789012:secret:database-AbCdEf#password
  cicd:releaseCommand: migrate --to 'the last'
  cicd:processes:
    mailer: work
  cicd:volumes:
    uploads: /var/uploads
    index: /var/lib/index
  cicd:volumeGiB: 20
  cicd:appPolicyArns:
    - arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess
  cicd:egressPorts: [5432]
  cicd:domain: shop.example.com
  cicd:hostedZoneId: Z0123456789ABCDEFGHIJ
  cicd:vpcId: vpc-0123456789abcdef0
  cicd:subnetIds: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
  cicd:deployScripts: stack
  cicd:healthSeconds: 60
  cicd:stopSeconds: 10
`
	fullSecrets = `API_KEY='canary-api-key'
QUEUE_URL='amqps://user:canary-queue@queue.example.com'
DB_PASSWORD="canary
password with 'quotes'"
`
	fullCommands = `	case args[0] == "migrate":
		fmt.Println("migrated with", len(args), "arguments")
	case args[0] == "work":
		fmt.Println("working")
		<-ctx.Done()
`
)
