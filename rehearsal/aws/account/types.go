package account

// The resource types that a rehearsal knows, as Pulumi's tokens: the values of Resource.Type. Source: the SDKs of
// pulumi-aws 6 and pulumi-github 6.

// EC2: networks, firewalls and hosts. The two security group rules have their own module.
const (
	VPC                   = "aws:ec2/vpc:Vpc"
	Subnet                = "aws:ec2/subnet:Subnet"
	InternetGateway       = "aws:ec2/internetGateway:InternetGateway"
	RouteTable            = "aws:ec2/routeTable:RouteTable"
	Route                 = "aws:ec2/route:Route"
	RouteTableAssociation = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	SecurityGroup         = "aws:ec2/securityGroup:SecurityGroup"
	DefaultSecurityGroup  = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	IngressRule           = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	EgressRule            = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	KeyPair               = "aws:ec2/keyPair:KeyPair"
	EIP                   = "aws:ec2/eip:Eip"
	EIPAssociation        = "aws:ec2/eipAssociation:EipAssociation"
	Instance              = "aws:ec2/instance:Instance"
)

// EBS: volumes, and Data Lifecycle Manager's policies for their snapshots.
const (
	Volume           = "aws:ebs/volume:Volume"
	VolumeAttachment = "aws:ec2/volumeAttachment:VolumeAttachment"
	SnapshotPolicy   = "aws:dlm/lifecyclePolicy:LifecyclePolicy"
)

// Route 53: names. A hosted zone is there before the stack.
const (
	HostedZone = "aws:route53/zone:Zone"
	Record     = "aws:route53/record:Record"
)

// IAM: who may do what.
const (
	Role            = "aws:iam/role:Role"
	RolePolicy      = "aws:iam/rolePolicy:RolePolicy"
	InstanceProfile = "aws:iam/instanceProfile:InstanceProfile"
	// RolePolicyAttachment attaches a managed policy.
	RolePolicyAttachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
)

// S3: a bucket, each of its settings as a separate resource, and an object in it.
const (
	Bucket                  = "aws:s3/bucketV2:BucketV2"
	BucketPolicy            = "aws:s3/bucketPolicy:BucketPolicy"
	BucketPublicAccessBlock = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	BucketVersioning        = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	BucketOwnershipControls = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
	BucketEncryption        = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	BucketLifecycle         = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	BucketObject            = "aws:s3/bucketObjectv2:BucketObjectv2"
)

// KMS and SNS: keys that encrypt, and topics for approvals.
const (
	KMSKey       = "aws:kms/key:Key"
	KMSKeyPolicy = "aws:kms/keyPolicy:KeyPolicy"
	Topic        = "aws:sns/topic:Topic"
	TopicPolicy  = "aws:sns/topicPolicy:TopicPolicy"
)

// ECR: images.
const (
	Repository       = "aws:ecr/repository:Repository"
	RepositoryPolicy = "aws:ecr/repositoryPolicy:RepositoryPolicy"
	LifecyclePolicy  = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
)

// The release pipeline: the connection to GitHub, CodePipeline, CodeBuild with its log, and CodeDeploy.
const (
	Connection      = "aws:codeconnections/connection:Connection"
	Pipeline        = "aws:codepipeline/pipeline:Pipeline"
	Project         = "aws:codebuild/project:Project"
	LogGroup        = "aws:cloudwatch/logGroup:LogGroup"
	Application     = "aws:codedeploy/application:Application"
	DeploymentGroup = "aws:codedeploy/deploymentGroup:DeploymentGroup"
)

// GitHub: what the stack manages in its repository.
const (
	RepositoryRuleset     = "github:index/repositoryRuleset:RepositoryRuleset"
	RepositoryEnvironment = "github:index/repositoryEnvironment:RepositoryEnvironment"
	ActionsVariable       = "github:index/actionsVariable:ActionsVariable"
)
