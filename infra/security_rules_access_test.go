package infra

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// accessRules are for what is stored, and who may do what.
var accessRules = []securityRule{
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
