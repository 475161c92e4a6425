package doctor

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/api"
	"cicd/rehearsal/aws/ec2"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/servicequotas"
	"cicd/rehearsal/aws/ssm"
)

const (
	accountID     = "123456789012"
	connectionArn = "arn:aws:codeconnections:eu-central-1:123456789012:connection/aEXAMPLE-8aad"
)

// cloud is an account in AWS, whose credentials the test has.
type cloud struct {
	t          *testing.T
	account    *account.Account
	authority  *iam.Authority
	parameters *ssm.Store
	quotas     *servicequotas.Service
	person     iam.Session
	// expired says that the credentials have expired.
	expired bool
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	acct := account.New(accountID)
	acct.SetRegion("eu-central-1")
	authority := iam.NewAuthority(acct)
	c := &cloud{t: t, account: acct, authority: authority, parameters: ssm.New(acct, authority), quotas: &servicequotas.Service{Account: acct, Authority: authority}, person: authority.Administrator("me")}
	server, err := api.Serve(api.New(api.Config{
		Account: acct,
		Sessions: func(key string) (iam.Session, bool) {
			session, live := authority.SessionFor(key)
			return session, live && !c.expired
		},
		Authorize: authority.Authorize, Parameters: c.parameters, Quotas: c.quotas,
		Instances: &ec2.Service{Account: acct, Authority: authority},
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	c.be(server.URL, c.person.Credentials)
	return c
}

// be gives AWS's clients in this process an endpoint and credentials.
func (c *cloud) be(endpoint string, credentials iam.Credentials) {
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": credentials.AccessKeyID, "AWS_MAX_ATTEMPTS": "1",
		"AWS_SECRET_ACCESS_KEY": credentials.SecretAccessKey, "AWS_SESSION_TOKEN": credentials.SessionToken, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_PROFILE": "", "AWS_CONFIG_FILE": c.t.TempDir() + "/none", "AWS_SHARED_CREDENTIALS_FILE": c.t.TempDir() + "/none"} {
		c.t.Setenv(name, value)
	}
}

func (c *cloud) put(kind, id string, properties map[string]any) {
	c.account.Put(account.Resource{URN: id, Type: kind, ID: id, Properties: properties})
}

// host puts an instance, of the stack's or of others.
func (c *cloud) host(id, instanceType, zone string, own bool) {
	stack := "other"
	if own {
		stack = "dev"
	}
	c.put(account.Instance, id, map[string]any{"instanceType": instanceType, "availabilityZone": zone, "tagsAll": map[string]any{"Project": "cicd", "Stack": stack}})
}

// awsCases are accounts, and what the checks of them find.
var awsCases = []struct {
	name, check string
	config      map[string]string
	outputs     map[string]any
	prepare     func(c *cloud)
	want        []string
}{
	{"valid", "credentials", nil, nil, nil, nil},
	{"expired", "credentials", nil, nil, func(c *cloud) { c.expired = true },
		[]string{"error  AWS credentials: ExpiredToken: The security token included in the request is expired | The credentials have expired. To do: run `aws sso login`"}},
	{"none", "credentials", nil, nil, func(c *cloud) { c.be("http://127.0.0.1:1", iam.Credentials{}) }, []string{"error  AWS credentials: ... | run `aws sso login`"}},
	{"of nobody", "credentials", nil, nil, func(c *cloud) { c.t.Setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE") }, []string{"error  AWS credentials: InvalidClientTokenId: ... enabled eu-central-1."}},
	{"with a wrong secret", "credentials", nil, nil, func(c *cloud) { c.t.Setenv("AWS_SECRET_ACCESS_KEY", "x") }, []string{"error  AWS credentials: SignatureDoesNotMatch: "}},
	{"no network", "credentials", nil, nil, func(c *cloud) { c.t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1") },
		[]string{"unchecked  AWS credentials: ... connection refused | check aws:region (eu-central-1)"}},

	{"never up", "account", nil, nil, nil, nil},
	{"the same", "account", nil, map[string]any{"repositoryUrl": accountID + ".dkr.ecr.eu-central-1.amazonaws.com/cicd-dev"}, nil, nil},
	{"another", "account", nil, map[string]any{"repositoryUrl": "210987654321.dkr.ecr.eu-central-1.amazonaws.com/cicd-dev"}, nil,
		[]string{"error  the credentials, arn:aws:sts::" + accountID + ":assumed-role/ ... are for account " + accountID + ", and the stack is in 210987654321"}},
	{"a foreign secret", "account", map[string]string{"cicd:secrets": `{"TOKEN": "arn:aws:ssm:eu-central-1:210987654321:parameter/shared/token"}`}, nil, nil,
		[]string{"error  secrets.TOKEN: is in account 210987654321"}},
	{"with expired credentials", "account", nil, nil, func(c *cloud) { c.expired = true }, []string{"unchecked  AWS does not answer these credentials, see above"}},

	{"none yet", "connection", nil, nil, nil, nil},
	{"available", "connection", map[string]string{"cicd:connectionArn": connectionArn}, nil, connection("AVAILABLE"), nil},
	{"pending", "connection", map[string]string{"cicd:connectionArn": connectionArn}, nil, connection("PENDING"),
		[]string{"error F2 the connection to GitHub is PENDING: a pipeline that is created now never starts on a push | Open it in the console"}},
	{"its own, pending", "connection", nil, map[string]any{"connectionArn": connectionArn}, connection("PENDING"),
		[]string{"warning F1 the connection to GitHub is PENDING, so there is no pipeline yet | Open https://eu-central-1.console.aws.amazon.com/"}},
	{"its own, pending and not waited for", "connection", map[string]string{"cicd:connectionAuthorized": "true"}, map[string]any{"connectionArn": connectionArn}, connection("PENDING"),
		[]string{"error F2 the connection to GitHub is PENDING: ... | Open https://eu-central-1.console.aws.amazon.com/"}},
	{"deleted", "connection", map[string]string{"cicd:connectionArn": connectionArn}, nil, nil, []string{"error F1 connection " + connectionArn + ": ResourceNotFoundException"}},

	{"none", "secrets", nil, nil, nil, nil},
	{"with and without values", "secrets", map[string]string{"cicd:secrets": `{"DATABASE_URL": "", "API_KEY": ""}`, "cicd:buildSecrets": `{"NPM_TOKEN": ""}`}, nil, func(c *cloud) {
		if _, err := c.parameters.PutParameter(c.person, ssm.PutParameterInput{Name: "/cicd/dev/API_KEY", Type: "SecureString", Value: "x"}); err != nil {
			c.t.Fatal(err)
		}
	}, []string{"error F61 secret DATABASE_URL has no value ... `cicd secrets set DATABASE_URL --stack dev`", "error F61 secret NPM_TOKEN"}},

	{"offered", "instance type", nil, nil, nil, nil},
	{"not offered", "instance type", map[string]string{"cicd:instanceType": "t9.small"}, nil, nil, []string{"error F49 eu-central-1 does not offer t9.small"}},
	{"offered in the host's zone", "instance type", nil, nil, func(c *cloud) { c.host("i-1", "t3.micro", "eu-central-1a", true) }, nil},
	{"not offered in the host's zone", "instance type", nil, nil, func(c *cloud) {
		c.host("i-1", "t3.micro", "eu-central-1z", true)
		c.host("i-2", "t3.micro", "eu-central-1y", false)
	}, []string{"error F49 zone eu-central-1z, where host i-1 is, does not offer t3.micro; eu-central-1a, eu-central-1b, eu-central-1c do"}},
	{"offered in one of the subnets' zones", "instance type", subnets, nil, func(c *cloud) {
		c.put(account.Subnet, "subnet-0a1b2c3d4e5f67890", map[string]any{"availabilityZone": "eu-central-1z"})
		c.put(account.Subnet, "subnet-0a1b2c3d4e5f67891", map[string]any{"availabilityZone": "eu-central-1b"})
	}, nil},
	{"not offered in the subnets' zones", "instance type", subnets, nil, func(c *cloud) {
		c.put(account.Subnet, "subnet-0a1b2c3d4e5f67890", map[string]any{"availabilityZone": "eu-central-1z"})
		c.put(account.Subnet, "subnet-0a1b2c3d4e5f67891", map[string]any{"availabilityZone": "eu-central-1y"})
	}, []string{"error F49 no zone of subnetIds offers t3.micro"}},
	{"subnets that are not there", "instance type", subnets, nil, nil, []string{"unchecked F49 subnetIds: InvalidSubnetID.NotFound"}},

	{"enough", "quota: vCPUs", nil, nil, func(c *cloud) { c.host("i-2", "t3.micro", "eu-central-1a", false) }, nil},
	{"used up by others", "quota: vCPUs", nil, nil, func(c *cloud) { c.host("i-2", "m7i.xlarge", "eu-central-1a", false) },
		[]string{"error  t3.micro needs 2 vCPUs; the account has 4 in use, and may use 5 | `aws service-quotas request-service-quota-increase --service-code ec2 --quota-code L-1216C47A --desired-value 6 --region eu-central-1`"}},
	{"used by its own host", "quota: vCPUs", nil, nil, func(c *cloud) { c.host("i-1", "m7i.xlarge", "eu-central-1a", true) }, nil},
	{"more of them", "quota: vCPUs", map[string]string{"cicd:instanceType": "m7i.2xlarge"}, nil, func(c *cloud) { c.quotas.Set("L-1216C47A", 8) }, nil},
	{"of another family", "quota: vCPUs", map[string]string{"cicd:instanceType": "g5.xlarge"}, nil, nil, []string{"unchecked  the quota for g5.xlarge is one that doctor does not know"}},

	{"enough", "quota: addresses", nil, nil, elasticIPs(4, 0), nil},
	{"used up", "quota: addresses", nil, nil, elasticIPs(5, 0), []string{"error  the stack needs an Elastic IP; the account has 5, and may have 5 | Release one ... --quota-code L-0263D0A3 --desired-value 6"}},
	{"used up, and one is its own", "quota: addresses", nil, nil, elasticIPs(4, 1), nil},

	{"several", "quota: builds", nil, nil, func(c *cloud) { c.quotas.Set("L-9D07B6EF", 20) }, nil},
	{"one", "quota: builds", map[string]string{"cicd:instanceType": "t4g.small"}, nil, nil,
		[]string{"warning F15 the account may run one build on ARM/Small at a time ... --service-code codebuild --quota-code L-5ED1D25B --desired-value 2"}},
	{"none", "quota: builds", nil, nil, func(c *cloud) { c.quotas.Set("L-9D07B6EF", 0) }, []string{"error F15 the account may run no build on Linux/Small"}},
}

var subnets = map[string]string{"cicd:vpcId": "vpc-0a1b2c3d4e5f67890", "cicd:subnetIds": `["subnet-0a1b2c3d4e5f67890", "subnet-0a1b2c3d4e5f67891"]`}

func connection(status string) func(*cloud) {
	return func(c *cloud) {
		c.put(account.Connection, connectionArn, map[string]any{"arn": connectionArn, "connectionStatus": status})
	}
}

func elasticIPs(others, own int) func(*cloud) {
	return func(c *cloud) {
		for i := range others + own {
			stack := "other"
			if i >= others {
				stack = "dev"
			}
			c.put(account.EIP, "eipalloc-"+string(rune('a'+i)), map[string]any{"tagsAll": map[string]any{"Project": "cicd", "Stack": stack}})
		}
	}
}

// TestAWS asks the stand-ins over AWS's protocols.
func TestAWS(t *testing.T) {
	for _, tt := range awsCases {
		t.Run(tt.check+"/"+tt.name, func(t *testing.T) {
			c := newCloud(t)
			if tt.prepare != nil {
				tt.prepare(c)
			}
			stack := stackIn(t.TempDir(), tt.config)
			stack.Outputs = func(context.Context) (map[string]any, error) { return tt.outputs, nil }
			wants(t, found(t, tt.check, stack), tt.want...)
		})
	}
}

// TestWithoutPermission: what a person may not ask is said to be unchecked, with the permission that is missing.
func TestWithoutPermission(t *testing.T) {
	config := map[string]string{"cicd:secrets": `{"DATABASE_URL": ""}`, "cicd:connectionArn": connectionArn}
	for check, action := range map[string]string{
		"connection": "codeconnections:GetConnection", "secrets": "ssm:GetParametersByPath", "instance type": "ec2:DescribeInstanceTypeOfferings",
		"quota: vCPUs": "ec2:DescribeInstanceTypes", "quota: addresses": "ec2:DescribeAddresses", "quota: builds": "servicequotas:ListServiceQuotas",
	} {
		t.Run(check, func(t *testing.T) {
			c := newCloud(t)
			c.put(account.Role, "role", map[string]any{"name": "role", "path": "/", "arn": "arn:aws:iam::" + accountID + ":role/role",
				"assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`})
			session, err := c.authority.AssumeRole("arn:aws:iam::"+accountID+":role/role", "ec2.amazonaws.com", "i-1", "")
			if err != nil {
				t.Fatal(err)
			}
			c.be(os.Getenv("AWS_ENDPOINT_URL"), session.Credentials)
			wants(t, found(t, check, stackIn(t.TempDir(), config)), "unchecked ... is not authorized to perform: "+action+" ... | allow that to this user or role")
		})
	}
}

// TestNoAnswer: a place that accepts connections and never answers stops nobody for long.
func TestNoAnswer(t *testing.T) {
	silent := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-silent:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(silent)
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "url."+server.URL+"/.insteadOf")
	t.Setenv("GIT_CONFIG_VALUE_0", "https://github.com/")
	ctx, cancel := context.WithTimeout(t.Context(), patience/100)
	defer cancel()
	_, err := findBranch(ctx, newSubject(t.Context(), stackIn(t.TempDir(), nil)))
	if err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("the branch: %v", err)
	}
}
