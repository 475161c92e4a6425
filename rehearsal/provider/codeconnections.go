package provider

import (
	"slices"

	"github.com/google/uuid"

	"cicd/internal/regions"
	"cicd/rehearsal/aws/account"
)

// States of a connection. One created through the API is PENDING until somebody authorizes it in the console (F1).
const (
	connectionPending   = "PENDING"
	connectionAvailable = "AVAILABLE"
)

// connectionKinds are CodeConnections' types. Source: CodeConnections API Reference, CreateConnection.
var connectionKinds = map[string]kind{
	account.Connection: {
		source: "later:codeconnections/connection.go",
		inputs: schema{
			"name": text().length(1, 32).match(`[\s\S]*`).replaces().at(80),
			"providerType": text().oneOf("GitHub", "GitHubEnterpriseServer", "Bitbucket", "GitLab", "GitLabSelfManaged").
				need().keeps(nil).replaces().at(92),
		},
		autoname: &autoname{"name", 32},
		tagged:   true,
		unique:   []string{"name"}, taken: "a connection named %s already exists, and connection names are unique in an account",
		verify: func(c *call, r *report) { c.verifyOffered(regions.Connections, "codeconnections", r) },
		id:     func(c *call) string { return c.arn("codeconnections", "connection/"+uuid.NewString()) },
		computed: map[string]output{
			"arn":              func(c *call) any { return c.id },
			"connectionStatus": once("connectionStatus", constant(connectionPending)),
			"ownerAccountId":   ownAccount,
		},
	},
}

// connectionState returns the status of a connection, and whether it exists.
func (s *Server) connectionState(acct *account.Account, arn string) (string, bool) {
	if slices.Contains(s.options.ExistingConnections, arn) {
		return connectionAvailable, true
	}
	connection, ok := acct.Find(account.Connection, "arn", arn)
	return connection.String("connectionStatus"), ok
}
