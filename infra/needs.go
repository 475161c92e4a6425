package infra

import (
	"slices"
	"strings"
)

// Needs is what a stack's configuration asks of what is outside the stack, for whoever looks there before the stack exists.
type Needs struct {
	// Repository is owner/name on GitHub, and Branch the one whose pushes are released.
	Repository, Branch string
	// ConnectionArn is that of an existing connection; "" for one of the stack's own.
	ConnectionArn string
	// Authorized says that the pipeline is created. AuthorizeConnection says how to authorize the stack's own connection.
	Authorized          bool
	AuthorizeConnection string
	// OwnScripts says that builds run the deployment scripts of the repository, not those that the stack brings along.
	OwnScripts bool
	// InstanceType is the host's, and Architecture the one for which images are built.
	InstanceType string
	Architecture Architecture
	// BuildImage is CodeBuild's image, and BuildPlace what its quota for builds calls the machines: ARM/Small.
	BuildImage, BuildPlace string
	// OperatorIP is the CIDR block that SSH is open to; "" for none.
	OperatorIP string
	// EgressPorts are open to the outside, beside 443.
	EgressPorts []int
	// SubnetIDs are the existing subnets for the host; none for those of the stack's own network.
	SubnetIDs []string
	// Application is what the stack runs.
	Application Application

	settings  settings
	encrypted []string
}

// ReadNeeds returns what a stack's configuration asks for, or CheckConfig's error.
func ReadNeeds(project, stack string, config map[string]string, encrypted []string) (Needs, error) {
	s, err := parseSettings(project, stack, config, encrypted)
	if err != nil {
		return Needs{}, err
	}
	architecture := architectureOf(s.InstanceType)
	n := Needs{
		Repository:          s.Repository,
		Branch:              s.Branch,
		ConnectionArn:       s.ConnectionArn,
		Authorized:          s.authorized(),
		AuthorizeConnection: Scope{Project: project, Stack: stack, Region: s.Region}.AuthorizeConnection(),
		OwnScripts:          s.DeployScripts == scriptsInRepository,
		InstanceType:        s.InstanceType,
		Architecture:        architecture,
		BuildImage:          architecture.buildImage(),
		BuildPlace:          architecture.buildPlace(),
		OperatorIP:          s.OperatorIP,
		EgressPorts:         s.EgressPorts,
		SubnetIDs:           s.SubnetIDs,
		Application:         s.application(),
		settings:            s,
	}
	for _, key := range encrypted {
		if own, ok := strings.CutPrefix(key, project+":"); ok {
			n.encrypted = append(n.encrypted, own)
		}
	}
	return n, nil
}

// Encrypted reports whether a key's value is encrypted. Then only the program knows it, and Needs has the default.
func (n Needs) Encrypted(key string) bool { return slices.Contains(n.encrypted, key) }

// CheckAccount returns what is wrong with the configuration in view of the account of the credentials.
func (n Needs) CheckAccount(account string) []string { return n.settings.checkAccount(account) }

// CheckName returns what is wrong with a project's and a stack's name, with which all physical names begin, or "".
func CheckName(project, stack string) string { return checkPrefix(project, stack) }
