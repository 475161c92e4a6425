package permissions

import (
	"slices"
	"strings"

	"cicd/rehearsal/aws/iam"
)

// exemption excuses grants of a role that are unused in a rehearsal, or wider than their use.
type exemption struct {
	// role is the purpose of the role, from its logical name: "host" for cicd-dev-host-role.
	role    string
	actions []string
	// wide excuses a wildcard at the end of a resource, such as "/*"; "" excuses an unused grant.
	wide   string
	reason string
	// key is the key of the configuration without which no role has the grant, "" for none.
	key string
	// filled names the key of the configuration with which the use is as wide as the grant, "" for none.
	filled string
	// sometimes ends the ARN of the resource that the exemption is about, which is used on some machines; "" for any resource.
	sometimes string
}

// exemptions are all exemptions. Each needs a reason that lies with AWS: whatever a rehearsal could do, it must do.
var exemptions = []exemption{
	{"host", []string{
		"ssm:UpdateInstanceInformation",
		"ssmmessages:CreateControlChannel",
		"ssmmessages:CreateDataChannel",
		"ssmmessages:OpenControlChannel",
		"ssmmessages:OpenDataChannel",
	}, "", "Session Manager is for people, through the SSM agent of Amazon Linux, and no release needs it " +
		"(Systems Manager User Guide, \"Verify or add instance permissions for Session Manager\")", "", "", ""},
	{"host", []string{"s3:GetObject"}, "", "The CodeDeploy agent needs it for a bundle without a version id, and s3:GetObjectVersion for one with it. " +
		"AWS does not document that CodePipeline always names the version, as the rehearsal does", "", "", ""},
	{"pipeline", []string{"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl"}, "/*", ownKeys, "", "", ""},
	{"build", []string{"s3:PutObject"}, "/*", ownKeys, "", "", ""},
	{"build", []string{"s3:GetObjectVersion"}, "/*", ownKeys, "", "deployScripts", ""},
	{"host", []string{"s3:GetObjectVersion"}, "/*", ownKeys, "", "", ""},
	{"build", []string{"logs:CreateLogStream", "logs:PutLogEvents"}, ":*", ownStreams, "", "", ""},
	{"host", []string{"logs:CreateLogStream", "logs:PutLogEvents"}, ":*", ownStreams, "", "", ""},
	{"build", []string{
		"ecr:BatchCheckLayerAvailability",
		"ecr:BatchGetImage",
		"ecr:CompleteLayerUpload",
		"ecr:GetDownloadUrlForLayer",
		"ecr:InitiateLayerUpload",
		"ecr:PutImage",
		"ecr:UploadLayerPart",
	}, "", "The layer cache needs buildx, a privileged container and an image from Docker Hub, which a machine for rehearsals may not have; and an " +
		"application whose Makefile makes the image has no use for it (`go test ./deploy-scripts -run TestLayerCache`)", "", "", "-cache"},
	{"host", []string{"ssm:GetParameters"}, "/*", "A hundred ARNs do not fit into a role's inline policies, and below the path there are only this stack's " +
		"secrets (IAM User Guide, \"IAM and AWS STS quotas\")", "secrets", "", ""},
	{"snapshots", []string{
		"ec2:CreateSnapshot",
		"ec2:CreateTags",
		"ec2:DeleteSnapshot",
		"ec2:DescribeInstances",
		"ec2:DescribeSnapshots",
		"ec2:DescribeVolumes",
	}, "", "Data Lifecycle Manager uses them at night, and a rehearsal has no snapshots (EBS User Guide, \"AWS managed policies for Amazon Data Lifecycle " +
		"Manager\")", "volumes", "", ""},
}

const ownStreams = "A log group holds only streams, and its ARN followed by :* is how CloudWatch Logs " +
	"names them all (CloudWatch Logs User Guide, \"Overview of managing access permissions\")"

const ownKeys = "CodePipeline makes up the keys from the shortened names of pipeline and artifact (CodePipeline User Guide, " +
	"\"Troubleshooting\"), and the bucket holds only this pipeline's artifacts and this stack's settings"

// hidden is a grant whose use this machine may hide. The use of another action on its resource shows that it is needed.
type hidden struct{ action, beside, reason string }

var hiddenUses = []hidden{
	{"ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage", "Not observed here: Docker had the image already, from another rehearsal or because the " +
		"change is not in it. A host that lacks it downloads its layers (ECR API Reference, GetDownloadUrlForLayer)"},
}

// reasonFor returns why a grant may be needed though nothing used it, "" if nothing suggests it.
func (h hidden) reasonFor(g iam.Granted, granted []iam.Granted) string {
	if g.Action == h.action && len(g.Uses) == 0 && slices.ContainsFunc(granted, func(other iam.Granted) bool {
		return other.Role == g.Role && other.Action == h.beside && other.Resource == g.Resource && len(other.Uses) > 0
	}) {
		return h.reason
	}
	return ""
}

// about reports whether the exemption is about a grant of this role and action.
func (e exemption) about(g iam.Granted) bool {
	return strings.HasSuffix(g.RoleName, "-"+e.role+"-role") && slices.Contains(e.actions, g.Action) && strings.HasSuffix(g.Resource, e.sometimes)
}

// covers reports whether the exemption is about this grant.
func (e exemption) covers(g grant) bool {
	if !e.about(g.Granted) {
		return false
	}
	if e.wide == "" {
		return len(g.Uses) == 0
	}
	rest, ok := strings.CutSuffix(g.Resource, e.wide)
	return ok && g.narrower != "" && !strings.ContainsAny(rest, "*?")
}
