package infra

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// securityRule is one line of the security checklist.
type securityRule struct {
	subject string
	// ids are the rule's names: AWS Foundational Security Best Practices (S3.5), CIS AWS Foundations Benchmark,
	// Checkov (CKV_), Trivy (AWS-); "own" for rules of this project.
	ids  string
	rule string
	// check returns what breaks the rule.
	check func(view) []string
	// reason makes the rule an exception, and says why.
	reason string
}

// Reasons that several exceptions share.
const (
	ownKey = "A customer-managed key costs a dollar a month and must be granted to three roles. The service's key encrypts just as well; " +
		"what is lost is control of the key policy and of rotation"
	oneHost = "A single host whose purpose is to answer the internet. Endpoints are priced by the hour and pay off with a private fleet"
)

var securityRules = []securityRule{
	{"CodeBuild project", "CKV_AWS_78, AWS-0018", "artifacts are encrypted",
		func(v view) []string {
			return v.every(project, func(p props) bool { return p.is("artifacts.encryptionDisabled", false) })
		}, ""},
	{"CodeBuild project", "CKV_AWS_147", "artifacts are encrypted with a customer-managed key",
		func(v view) []string {
			return v.every(project, func(p props) bool { return p.text("encryptionKey") != "" })
		}, ownKey},
	{"CodeBuild project", "CodeBuild.4, CKV_AWS_314", "builds are logged",
		func(v view) []string {
			return v.every(project, func(p props) bool { return p.is("logsConfig.cloudwatchLogs.status", "ENABLED") })
		}, ""},
	{"CodeBuild project", "CodeBuild.3, CKV_AWS_311", "no log goes to S3 in the clear",
		func(v view) []string {
			return v.every(project, func(p props) bool { return p.at("logsConfig.s3Logs") == nil })
		}, ""},
	{"CodeBuild project", "CodeBuild.5, CKV_AWS_316", "builds are not privileged",
		func(v view) []string {
			return v.every(project, func(p props) bool { return p.is("environment.privilegedMode", false) })
		}, "Docker needs privileges to build the image (F17). The build's role can push images and bundles, and nothing else"},
	{"CodeBuild project", "CodeBuild.2", "no secret is in the environment: CodeBuild fetches those of buildSecrets",
		func(v view) []string {
			return v.every(project, func(p props) bool {
				variables, _ := p.at("environment.environmentVariables").([]any)
				return !slices.ContainsFunc(variables, func(one any) bool {
					variable := one.(map[string]any)
					return variable["type"] == "PLAINTEXT" && secretName.MatchString(variable["name"].(string))
				})
			})
		}, ""},
	{"CodeBuild project", "CodeBuild.1, CodeBuild.7", "no credentials of a source host, and no report group",
		func(v view) []string {
			return append(v.none("codebuild/sourceCredential:SourceCredential"), v.none("codebuild/reportGroup:ReportGroup")...)
		}, ""},

	{"CodeBuild project", "own", "with deployScripts: stack, the commands, and the sum of the scripts that they run, are in the project, not in the repository",
		func(v view) []string {
			return v.every(project, func(p props) bool {
				variables, _ := json.Marshal(p.at("environment.environmentVariables"))
				fromStack := strings.Contains(string(variables), `"DEPLOY_SCRIPTS_SHA256"`)
				return fromStack == strings.HasPrefix(p.text("source.buildspec"), "version: 0.2\n")
			})
		}, ""},

	{"Pipeline", "CKV_AWS_219", "artifacts are encrypted with a customer-managed key",
		func(v view) []string {
			return v.every("codepipeline/pipeline:Pipeline", func(p props) bool { return p.at("artifactStores.0.encryptionKey") != nil })
		}, ownKey},
	{"Pipeline", "own", "only a commit's id reaches an action, none of its other metadata",
		func(v view) []string {
			return v.every("codepipeline/pipeline:Pipeline", func(p props) bool {
				text, _ := json.Marshal(p.at("stages"))
				for _, m := range regexp.MustCompile(`#\{[^}]*\}`).FindAllString(string(text), -1) {
					if m != commitID {
						return false
					}
				}
				return true
			})
		}, ""},
	{"Deployment", "own", "deployments are in place and roll back automatically",
		func(v view) []string {
			v.asked["codedeploy/application:Application"] = true
			return v.every("codedeploy/deploymentGroup:DeploymentGroup", func(p props) bool { return p.is("autoRollbackConfiguration.enabled", true) })
		}, ""},

	{"ECR repository", "ECR.1, CKV_AWS_163, AWS-0030", "images are scanned when pushed",
		func(v view) []string {
			return v.every(repository, func(p props) bool { return isCache(p) || p.is("imageScanningConfiguration.scanOnPush", true) })
		}, ""},
	{"ECR repository", "ECR.2, CKV_AWS_51, AWS-0031", "no tag is ever overwritten",
		func(v view) []string {
			return v.every(repository, func(p props) bool { return isCache(p) || p.is("imageTagMutability", "IMMUTABLE") })
		}, ""},
	{"Layer cache", "ECR.1, CKV_AWS_163, AWS-0030", "what is pushed is scanned",
		func(v view) []string {
			return v.every(repository, func(p props) bool { return !isCache(p) || p.is("imageScanningConfiguration.scanOnPush", true) })
		}, "It has layers, and of the images that are made of them, those that are released are scanned"},
	{"Layer cache", "ECR.2, CKV_AWS_51, AWS-0031", "no tag is ever overwritten",
		func(v view) []string {
			return v.every(repository, func(p props) bool { return !isCache(p) || p.is("imageTagMutability", "IMMUTABLE") })
		}, "Each build overwrites what the one before has left. BuildKit finds layers by what they are made of, not by a tag"},
	{"Layer cache", "own", "only builds reach it, so nothing in it is run without having been built, pushed and scanned",
		func(v view) []string {
			return v.every(rolePolicy, func(p props) bool {
				return strings.HasSuffix(p.text("role"), "-build") || !strings.Contains(p.text("policy"), "-cache")
			})
		}, ""},
	{"ECR repository", "ECR.3", "a lifecycle policy removes old images",
		func(v view) []string {
			return v.every(repository, v.has(repository, "ecr/lifecyclePolicy:LifecyclePolicy"))
		}, ""},
	{"ECR repository", "ECR.5, CKV_AWS_136, AWS-0033", "images are encrypted with a KMS key",
		func(v view) []string {
			return v.every(repository, func(p props) bool { return p.is("encryptionConfigurations.0.encryptionType", "KMS") })
		}, ownKey},
	{"ECR repository", "CKV_AWS_32, AWS-0032", "no policy opens it to others",
		func(v view) []string { return v.none("ecr/repositoryPolicy:RepositoryPolicy") }, ""},

	{"Host", "EC2.8, CIS 5.7, CKV_AWS_79, AWS-0028", "instance metadata needs a token (IMDSv2)",
		func(v view) []string {
			return v.every(instance, func(p props) bool { return p.is("metadataOptions.httpTokens", "required") })
		}, ""},
	{"Host", "own", "no container reaches the instance's credentials, unless appPolicyArns is set",
		func(v view) []string {
			v.asked[attachment] = true
			return v.every(instance, func(p props) bool {
				return p.is("metadataOptions.httpPutResponseHopLimit", 1) || len(v.ofType(attachment)) > 0 && p.is("metadataOptions.httpPutResponseHopLimit", 2)
			})
		}, ""},
	{"Host", "AutoScaling.4, CKV_AWS_341", "instance metadata is one hop away at most",
		func(v view) []string {
			return v.every(instance, func(p props) bool { return p.is("metadataOptions.httpPutResponseHopLimit", 1) })
		}, "With appPolicyArns, the application is meant to have the host's role, and its containers are the second hop"},
	{"Host", "EC2.3, CKV_AWS_8, AWS-0131", "its disk is encrypted",
		func(v view) []string {
			return v.every(instance, func(p props) bool { return p.is("rootBlockDevice.encrypted", true) })
		}, ""},
	{"Host", "CKV_AWS_126", "it has one-minute monitoring",
		func(v view) []string {
			return v.every(instance, func(p props) bool { return p.is("monitoring", true) })
		},
		"It costs about two dollars a month, and the pipeline does not use it: a release is judged by the application's own answers"},
	{"Host", "CKV_AWS_135", "it is EBS-optimized",
		func(v view) []string {
			return v.every(instance, func(p props) bool { return p.is("ebsOptimized", true) })
		}, "EC2 enables it by default if the type supports it; setting it would replace the host on a change from a type that does not to one that does"},
	{"Host", "CIS 1.17, CKV2_AWS_41", "it has an instance profile, and no keys",
		func(v view) []string {
			return append(v.every(instance, func(p props) bool { return p.text("iamInstanceProfile") != "" }),
				append(v.every("iam/instanceProfile:InstanceProfile", func(p props) bool { return p.text("role") != "" }), v.none("iam/accessKey:AccessKey")...)...)
		}, ""},
	{"Host", "EC2.9, CKV_AWS_88", "it has no public address",
		func(v view) []string { return v.none("ec2/eipAssociation:EipAssociation") }, oneHost},
	{"Host", "CKV2_AWS_19", "its Elastic IP is attached",
		func(v view) []string {
			return v.every("ec2/eip:Eip", v.has("ec2/eip:Eip", "ec2/eipAssociation:EipAssociation"))
		}, ""},
	{"Host", "CKV_AWS_46, AWS-0029", "no secret is in its user data",
		func(v view) []string {
			return v.every(instance, func(p props) bool { return !secretValue.MatchString(p.text("userData")) })
		}, ""},
	{"Host", "EC2.17", "it has one network interface",
		func(v view) []string {
			return append(v.every(instance, func(p props) bool { return p.at("networkInterfaces") == nil }),
				v.none("ec2/networkInterface:NetworkInterface")...)
		}, ""},
	{"Host", "SSM.1", "Systems Manager can reach it",
		func(v view) []string {
			return v.every(instance, func(props) bool {
				return slices.ContainsFunc(v.statements(rolePolicy), func(s statement) bool { return slices.Contains(s.Action, "ssm:UpdateInstanceInformation") })
			})
		}, ""},
	{"Host", "own", "a key pair is a public key that the operator provides",
		func(v view) []string {
			return v.every("ec2/keyPair:KeyPair", func(p props) bool { return p.text("publicKey") == testKey })
		}, ""},

	{"Data volume", "CKV_AWS_3, AWS-0026", "it is encrypted, and so are its snapshots",
		func(v view) []string {
			return v.every(dataVolume, func(p props) bool { return p.is("encrypted", true) })
		}, ""},
	{"Data volume", "CKV_AWS_189, AWS-0027", "it is encrypted with a customer-managed key",
		func(v view) []string {
			return v.every(dataVolume, func(p props) bool { return p.text("kmsKeyId") != "" })
		}, ownKey},
	{"Data volume", "own", "a snapshot is taken daily, and when it is deleted",
		func(v view) []string {
			return slices.Concat(v.every(dataVolume, v.has(dataVolume, snapshotPolicy)),
				v.every(dataVolume, func(p props) bool { return p.is("finalSnapshot", true) }),
				v.every(snapshotPolicy, func(p props) bool {
					return p.is("state", "ENABLED") && p.is("policyDetails.schedules.0.createRule.interval", 24) && p.is("policyDetails.schedules.0.retainRule.count", 7)
				}))
		}, ""},
	{"Data volume", "EC2.28, CKV2_AWS_9", "AWS Backup has a plan for it",
		func(v view) []string {
			return v.every(dataVolume, v.has(dataVolume, "backup/selection:Selection"))
		}, "Data Lifecycle Manager takes its snapshots, without a vault and a second price list"},

	{"Firewall", "CKV_AWS_23, AWS-0099, AWS-0124", "every group and rule has a description",
		func(v view) []string {
			described := func(p props) bool { return p.text("description") != "" }
			return slices.Concat(v.every(securityGroup, described), v.every(ingress, described), v.every(egress, described))
		}, ""},
	{"Firewall", "EC2.18, EC2.19, CIS 5.3, CIS 5.4, CKV_AWS_24, CKV_AWS_25, CKV_AWS_277, AWS-0107", "nothing but port 80, and with a domain port 443, is open to the internet",
		func(v view) []string {
			https := fmt.Sprint(v.outputs["appUrl"])[:5] == "https"
			return v.every(ingress, func(p props) bool {
				web := p.is("fromPort", 443) && https && (p.is("ipProtocol", "tcp") || p.is("ipProtocol", "udp")) // UDP is HTTP/3
				ssh := p.is("fromPort", 22) && p.text("cidrIpv4") != anywhere && p.text("cidrIpv4") != ""
				return p.is("fromPort", p.at("toPort")) && (web || p.is("ipProtocol", "tcp") && (p.is("fromPort", 80) || ssh))
			})
		}, ""},
	{"Firewall", "CKV_AWS_260", "port 80 is not open to the internet",
		func(v view) []string {
			return v.every(ingress, func(p props) bool { return !p.is("fromPort", 80) || p.text("cidrIpv4") != anywhere })
		}, "The application answers there, or with a domain the redirect to HTTPS and the CA's challenges"},
	{"Firewall", "CKV_AWS_382", "the host's only outbound traffic is HTTPS, and TCP to the single ports of egressPorts",
		func(v view) []string {
			return v.every(egress, func(p props) bool {
				named := p.is("fromPort", 443) || strings.HasSuffix(p.name, fmt.Sprintf("-out-%v", p.at("fromPort")))
				return p.is("ipProtocol", "tcp") && p.is("toPort", p.at("fromPort")) && named
			})
		}, ""},
	{"Firewall", "AWS-0104", "no outbound traffic may go to any address", // trivy-checks, aws/ec2/no_public_egress_sgr.rego
		func(v view) []string {
			return v.every(egress, func(p props) bool { return p.text("cidrIpv4") != anywhere })
		}, "AWS's APIs, registries and package mirrors have no fixed addresses, nor do most databases. Only HTTPS and egressPorts may leave"},
	{"Firewall", "own", "no rule is declared inside a group: inline and separate rules would undo each other",
		func(v view) []string {
			return v.every(securityGroup, func(p props) bool { return p.at("ingress") == nil && p.at("egress") == nil })
		}, ""},
	{"Firewall", "CKV2_AWS_5", "every group is attached",
		func(v view) []string {
			return v.every(instance, func(p props) bool { return p.at("vpcSecurityGroupIds.0") != nil })
		}, ""},

	{"Network", "EC2.2, CIS 5.5, CKV2_AWS_12, AWS-0173", "the default security group lets nothing through",
		func(v view) []string {
			return slices.Concat(v.every(vpcKind, v.has(vpcKind, "ec2/defaultSecurityGroup:DefaultSecurityGroup")),
				v.every("ec2/defaultSecurityGroup:DefaultSecurityGroup", func(p props) bool { return p.at("ingress") == nil && p.at("egress") == nil }))
		}, ""},
	{"Network", "AWS-0101", "the default VPC is not used",
		func(v view) []string {
			return append(v.none("ec2/defaultVpc:DefaultVpc"), v.every(subnet, func(p props) bool { return p.text("vpcId") != "" })...)
		}, ""},
	{"Network", "EC2.15, CKV_AWS_130, AWS-0164", "subnets assign no public addresses automatically",
		func(v view) []string {
			return v.every(subnet, func(p props) bool { return p.is("mapPublicIpOnLaunch", false) })
		}, ""},
	{"Network", "EC2.6, CIS 3.7, CKV2_AWS_11, AWS-0178", "flow logs are kept",
		func(v view) []string { return v.every(vpcKind, v.has(vpcKind, "ec2/flowLog:FlowLog")) },
		"They are priced by volume, and an account that wants them has them from its landing zone. The network has one host with one open port"},
	{"Network", "EC2.21, CKV2_AWS_1", "a network ACL closes ports 22 and 3389",
		func(v view) []string { return v.every(vpcKind, v.has(vpcKind, "ec2/networkAcl:NetworkAcl")) },
		"The security groups already close them, and are stateful; a second list of ports is one more thing to forget"},
	{"Network", "EC2.10, EC2.55, EC2.56, EC2.57, EC2.58, EC2.60, EC2.172", "AWS is reached through endpoints, and public access to the VPC is blocked",
		func(v view) []string { return v.every(vpcKind, v.has(vpcKind, "ec2/vpcEndpoint:VpcEndpoint")) }, oneHost},

	{"Domain", "own", "its record leads to the stack's Elastic IP, and to nothing that another could take over",
		func(v view) []string {
			return v.every("route53/record:Record", func(p props) bool {
				return p.is("type", "A") && p.is("records.0", testAddress) && p.at("records.1") == nil
			})
		}, ""},
	{"Domain", "own", "its record replaces none that somebody else made",
		func(v view) []string {
			return v.every("route53/record:Record", func(p props) bool { return p.at("allowOverwrite") == nil })
		}, ""},

	{"Artifact bucket", "S3.1, S3.2, S3.3, S3.8, CIS 2.1.4, CKV_AWS_53, CKV_AWS_54, CKV_AWS_55, CKV_AWS_56, CKV2_AWS_6, AWS-0086, AWS-0087, AWS-0091, AWS-0093, AWS-0094",
		"public access is blocked", func(v view) []string {
			return slices.Concat(v.every(bucket, v.has(bucket, "s3/bucketPublicAccessBlock:BucketPublicAccessBlock")),
				v.every("s3/bucketPublicAccessBlock:BucketPublicAccessBlock", func(p props) bool {
					return p.is("blockPublicAcls", true) && p.is("blockPublicPolicy", true) && p.is("ignorePublicAcls", true) && p.is("restrictPublicBuckets", true)
				}))
		}, ""},
	{"Artifact bucket", "S3.5, CIS 2.1.1", "every request without TLS is refused",
		func(v view) []string {
			return v.every("s3/bucketPolicy:BucketPolicy", func(p props) bool {
				arn := "arn:of:" + strings.TrimSuffix(p.name, "-policy")
				return slices.ContainsFunc(statementsIn(p.text("policy")), func(s statement) bool {
					return s.Effect == "Deny" && s.Principal["AWS"] == "*" && slices.Equal(s.Action, []string{"s3:*"}) &&
						slices.Equal(s.Resource, []string{arn, arn + "/*"}) && len(s.Condition) == 1 && s.Condition["Bool"]["aws:SecureTransport"] == "false"
				})
			})
		}, ""},
	{"Artifact bucket", "own", "its policy allows nothing",
		func(v view) []string {
			return v.every("s3/bucketPolicy:BucketPolicy", func(p props) bool {
				return !slices.ContainsFunc(statementsIn(p.text("policy")), func(s statement) bool { return s.Effect != "Deny" })
			})
		}, ""},
	{"Artifact bucket", "AWS-0132", "objects are encrypted with a customer-managed key", // trivy-checks, aws/s3/encryption_customer_key.rego
		func(v view) []string {
			return v.every("s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
				func(p props) bool { return p.text("rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId") != "" })
		}, ownKey},
	{"Artifact bucket", "CKV_AWS_19, CKV_AWS_145", "objects are encrypted with KMS",
		func(v view) []string {
			const kind = "s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
			return slices.Concat(v.every(bucket, v.has(bucket, kind)),
				v.every(kind, func(p props) bool { return p.is("rules.0.applyServerSideEncryptionByDefault.sseAlgorithm", "aws:kms") }))
		}, ""},
	{"Artifact bucket", "CKV_AWS_21, AWS-0090", "objects are versioned",
		func(v view) []string {
			return slices.Concat(v.every(bucket, v.has(bucket, versioning)),
				v.every(versioning, func(p props) bool { return p.is("versioningConfiguration.status", "Enabled") }))
		}, ""},
	{"Artifact bucket", "S3.10, S3.13, CKV2_AWS_61, CKV_AWS_300", "artifacts, old versions and aborted uploads expire",
		func(v view) []string {
			return slices.Concat(v.every(bucket, v.has(bucket, bucketLifecycle)), v.every(bucketLifecycle, func(p props) bool {
				return p.is("rules.0.status", "Enabled") && p.at("rules.0.expiration.days") != nil && p.text("rules.0.filter.prefix") != "" &&
					p.is("rules.1.status", "Enabled") && p.is("rules.1.filter.prefix", "") &&
					p.at("rules.1.noncurrentVersionExpiration.noncurrentDays") != nil && p.at("rules.1.abortIncompleteMultipartUpload.daysAfterInitiation") != nil
			}))
		}, ""},
	{"Artifact bucket", "S3.12, CKV2_AWS_65", "there are no access control lists",
		func(v view) []string {
			return slices.Concat(v.every(bucket, v.has(bucket, ownership)),
				v.every(ownership, func(p props) bool { return p.is("rule.objectOwnership", "BucketOwnerEnforced") }))
		}, ""},
	{"Artifact bucket", "S3.9, S3.11, CKV_AWS_18, CKV2_AWS_62, AWS-0089", "access is logged, and events are sent",
		func(v view) []string { return v.every(bucket, v.has(bucket, "s3/bucketLoggingV2:BucketLoggingV2")) },
		"Only the pipeline's own roles have access, and CodePipeline records each run. Logs would need a second bucket"},
	{"Artifact bucket", "CKV_AWS_144, CIS 2.1.2, AWS-0170", "objects are replicated, and deleting takes MFA",
		func(v view) []string {
			return v.every(bucket, v.has(bucket, "s3/bucketReplicationConfig:BucketReplicationConfig"))
		},
		"Every artifact can be rebuilt from its commit"},
	{"Artifact bucket", "CIS 3.8, CIS 3.9, AWS-0171, AWS-0172", "CloudTrail records object-level calls",
		func(v view) []string { return v.every(bucket, v.has(bucket, "cloudtrail/trail:Trail")) },
		"A trail belongs to the account, not to one application"},

	{"Roles", "IAM.1, IAM.21, CKV_AWS_62, CKV_AWS_63, CKV2_AWS_40, AWS-0345", "no policy allows all actions, or all of a service",
		func(v view) []string {
			return v.every(rolePolicy, func(p props) bool {
				return !slices.ContainsFunc(statementsIn(p.text("policy")), func(s statement) bool {
					return len(s.Action) == 0 || slices.ContainsFunc(s.Action, func(a string) bool { return strings.ContainsAny(a, "*?") })
				})
			})
		}, ""},
	{"Roles", "CKV_AWS_286, CKV_AWS_287, CKV_AWS_288, CKV_AWS_289, CKV_AWS_290, CKV_AWS_355", "Resource is \"*\" only where AWS supports nothing narrower: " + strings.Join(withoutResource, ", "),
		func(v view) []string {
			return v.every(rolePolicy, func(p props) bool {
				return !slices.ContainsFunc(statementsIn(p.text("policy")), func(s statement) bool {
					return slices.Contains(s.Resource, "*") && slices.ContainsFunc(s.Action, func(a string) bool { return !slices.Contains(withoutResource, a) })
				})
			})
		}, ""},
	{"Roles", "CKV_AWS_60, CKV_AWS_61", "only one service can assume each, for one resource where AWS names it",
		func(v view) []string {
			return v.every("iam/role:Role", func(p props) bool {
				trust := statementsIn(p.text("assumeRolePolicy"))
				if len(trust) != 1 || len(trust[0].Principal) != 1 || trust[0].Principal["Service"] == "" {
					return false
				}
				condition, _ := json.Marshal(trust[0].Condition)
				return strings.HasPrefix(trust[0].Principal["Service"], "ec2.") || strings.Contains(string(condition), `"aws:SourceArn":"arn:`)
			})
		}, ""},
	{"Roles", "AWS-0342", "none may pass or assume a role",
		func(v view) []string {
			return v.every(rolePolicy, func(p props) bool { return !regexp.MustCompile(`"(iam|sts):`).MatchString(p.text("policy")) })
		}, ""},
	{"Roles", "own", "a key is used only to decrypt secrets that the stack names, through the service that keeps them",
		func(v view) []string {
			return v.every(rolePolicy, func(p props) bool { return !slices.ContainsFunc(statementsIn(p.text("policy")), usesKeyOtherwise) })
		}, ""},
	{"Roles", "KMS.1, KMS.2", "none may decrypt with every key of the account",
		func(v view) []string {
			return v.every(rolePolicy, func(p props) bool {
				return !regexp.MustCompile(`"arn:aws:kms:[^"]*:key/\*"`).MatchString(p.text("policy"))
			})
		}, "Which key others use for a secret is theirs to choose. The conditions allow it only for the secrets that the stack names, through the service that keeps them"},
	{"Roles", "own", "secrets are read, and written, only below the stack's own path, and otherwise read by their ARNs",
		func(v view) []string {
			return v.every(rolePolicy, func(p props) bool { return !slices.ContainsFunc(statementsIn(p.text("policy")), readsOthers) })
		}, ""},
	{"Roles", "own", "policies are inline: they cannot be attached elsewhere, and no managed policy grants more than these show, but for appPolicyArns on the host's role",
		func(v view) []string {
			return slices.Concat(v.none("iam/policy:Policy"),
				v.every(attachment, func(p props) bool { return strings.HasSuffix(p.text("role"), "-host") }),
				v.every("iam/role:Role", func(p props) bool { return p.at("managedPolicyArns") == nil && p.at("inlinePolicies") == nil }))
		}, ""},

	{"Settings", "own", "they name secrets and have none of their values, and only the bucket decides who may read them",
		func(v view) []string {
			return v.every(object, func(p props) bool {
				for line := range strings.Lines(p.text("content")) {
					name, source, _ := strings.Cut(strings.TrimSpace(line), "=")
					parameter, isSecret := strings.CutPrefix(name, "SECRET ")
					source, _, _ = strings.Cut(source, "#")
					if isSecret && source != "/cicd/dev/"+parameter && !slices.Contains(foreignSources, source) {
						return false
					}
				}
				return p.at("acl") == nil && p.at("kmsKeyId") == nil && p.at("serverSideEncryption") == nil
			})
		}, ""},

	{"Logs", "CKV_AWS_66", "they expire",
		func(v view) []string {
			return v.every(logGroup, func(p props) bool { return p.at("retentionInDays") != nil })
		}, ""},
	{"Logs", "CKV_AWS_338", "they are kept for a year",
		func(v view) []string {
			return v.every(logGroup, func(p props) bool { days, _ := p.at("retentionInDays").(float64); return days >= 365 })
		}, "logRetentionDays is 30 by default, and 365 in prod"},
	{"Logs", "CKV_AWS_158, AWS-0017", "they are encrypted with a customer-managed key",
		func(v view) []string {
			return v.every(logGroup, func(p props) bool { return p.text("kmsKeyId") != "" })
		}, ownKey},

	{"GitHub", "own", "the released branch can be neither deleted nor rewritten (with manageRepository)",
		func(v view) []string {
			return v.every("index/repositoryRuleset:RepositoryRuleset", func(p props) bool {
				return p.is("enforcement", "active") && p.is("rules.deletion", true) && p.is("rules.nonFastForward", true) && p.at("bypassActors") == nil
			})
		}, ""},
	{"GitHub", "own", "AWS reaches GitHub only through the connection and has no GitHub token",
		func(v view) []string {
			return v.every("codeconnections/connection:Connection", func(p props) bool { return p.is("providerType", "GitHub") })
		}, ""},
	{"GitHub", "own", "no Actions variable holds a secret",
		func(v view) []string {
			return v.every("index/actionsVariable:ActionsVariable", func(p props) bool { return !secretName.MatchString(p.text("variableName")) })
		}, ""},
}
