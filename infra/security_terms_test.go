package infra

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Types that several rules check.
const (
	project         = "codebuild/project:Project"
	repository      = "ecr/repository:Repository"
	instance        = "ec2/instance:Instance"
	securityGroup   = "ec2/securityGroup:SecurityGroup"
	ingress         = "vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	egress          = "vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	vpcKind         = "ec2/vpc:Vpc"
	subnet          = "ec2/subnet:Subnet"
	bucket          = "s3/bucketV2:BucketV2"
	versioning      = "s3/bucketVersioningV2:BucketVersioningV2"
	bucketLifecycle = "s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	ownership       = "s3/bucketOwnershipControls:BucketOwnershipControls"
	rolePolicy      = "iam/rolePolicy:RolePolicy"
	logGroup        = "cloudwatch/logGroup:LogGroup"
	object          = "s3/bucketObjectv2:BucketObjectv2"
	attachment      = "iam/rolePolicyAttachment:RolePolicyAttachment"
	dataVolume      = "ebs/volume:Volume"
	snapshotPolicy  = "dlm/lifecyclePolicy:LifecyclePolicy"
)

// noRule lists types that nothing can be wrong with: they connect others.
var noRule = []string{
	"ec2/internetGateway:InternetGateway",
	"ec2/routeTable:RouteTable",
	"ec2/route:Route",
	"ec2/routeTableAssociation:RouteTableAssociation",
	"ec2/volumeAttachment:VolumeAttachment",
	"index/repositoryEnvironment:RepositoryEnvironment",
}

// withoutResource lists the granted actions that AWS's own documentation grants on "*": most support no
// resource-level permissions (Service Authorization Reference), and Session Manager's are for any instance's agent.
var withoutResource = []string{
	"ec2:DescribeInstanceStatus",
	"ec2:DescribeInstances",
	"ec2:DescribeSnapshots",
	"ec2:DescribeVolumes",
	"ecr:GetAuthorizationToken",
	"ssm:UpdateInstanceInformation",
	"ssmmessages:CreateControlChannel",
	"ssmmessages:CreateDataChannel",
	"ssmmessages:OpenControlChannel",
	"ssmmessages:OpenDataChannel",
	"tag:GetResources",
}

// foreignSources are the ARNs of secrets that the checked configurations name.
var foreignSources = []string{testParameter, testSecret}

var (
	secretName  = regexp.MustCompile(`(?i)secret|token|passw|credential|private|api_?key`)
	secretValue = regexp.MustCompile(`(?i)(AKIA|ASIA)[A-Z0-9]{16}|-----BEGIN|gh[pousr]_[A-Za-z0-9]{20}|(secret|token|password)\S*=`)
)

// isCache reports whether a repository is that of the layer cache.
func isCache(repository props) bool { return strings.HasSuffix(repository.text("name"), "-cache") }

// statements returns all statements of the policies of a type.
func (v view) statements(kind string) []statement {
	var all []statement
	for _, a := range v.ofType(kind) {
		all = append(all, statementsIn(propsOf(a).text("policy"))...)
	}
	return all
}

// statementsIn returns a policy's statements, or none if text is not a policy.
func statementsIn(text string) []statement {
	var doc policyDocument
	if json.Unmarshal([]byte(text), &doc) != nil {
		return nil
	}
	return doc.Statement
}

// readsOthers reports whether a statement allows reading a secret other than the stack's own and those it names.
func readsOthers(s statement) bool {
	if !slices.ContainsFunc(s.Action, func(a string) bool {
		return strings.HasPrefix(a, "ssm:") && strings.Contains(a, "Parameter") || strings.HasPrefix(a, "secretsmanager:")
	}) {
		return false
	}
	return slices.ContainsFunc(s.Resource, func(arn string) bool {
		return !strings.HasPrefix(arn, ownParameters) && !slices.Contains(foreignSources, arn)
	})
}

// usesKeyOtherwise reports whether a statement allows more with a key than decrypting the named secrets through their
// service.
func usesKeyOtherwise(s statement) bool {
	if !slices.ContainsFunc(s.Action, func(a string) bool { return strings.HasPrefix(a, "kms:") }) {
		return false
	}
	equals := s.Condition["StringEquals"]
	named := append(texts(equals["kms:EncryptionContext:PARAMETER_ARN"]), texts(equals["kms:EncryptionContext:SecretARN"])...)
	return !slices.Equal(s.Action, []string{"kms:Decrypt"}) || equals["kms:ViaService"] == nil || len(named) == 0 ||
		slices.ContainsFunc(named, func(arn string) bool { return !slices.Contains(foreignSources, arn) })
}

// texts returns the texts of a list in JSON.
func texts(list any) []string {
	var out []string
	items, _ := list.([]any)
	for _, item := range items {
		out = append(out, fmt.Sprint(item))
	}
	return out
}
