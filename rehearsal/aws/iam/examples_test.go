package iam

import (
	"strings"
	"testing"
)

const (
	allowed      = "allowed"
	implicitDeny = "implicit deny"
	explicitDeny = "explicit deny"
)

// outcome evaluates policies for a request. A policy that names a principal is resource-based, any other identity-based.
func outcome(t *testing.T, r request, policies ...string) string {
	t.Helper()
	var docs []Policy
	for _, text := range policies {
		k := IdentityPolicy
		if strings.Contains(text, `"Principal"`) || strings.Contains(text, `"NotPrincipal"`) {
			k = BucketPolicy
		}
		doc, violations := Parse(k, text)
		if violations != nil {
			t.Fatalf("%v\n%s", violations, text)
		}
		docs = append(docs, doc)
	}
	v, err := evaluate(docs, r)
	switch {
	case err != nil:
		return "error: " + err.Error()
	case v.deniedBy != nil:
		return explicitDeny
	case v.allowed():
		return allowed
	}
	return implicitDeny
}

// one wraps a statement in a policy.
func one(statement string) string {
	return `{"Version": "2012-10-17", "Statement": ` + statement + `}`
}

// publishedExample is an example of the IAM User Guide; the page is a comment on its policies.
type publishedExample struct {
	name     string
	who      principal
	action   string
	resource string
	context  requestContext
	policies []string
	want     string
}

func (e publishedExample) check(t *testing.T) {
	t.Run(e.name, func(t *testing.T) {
		r := request{principal: e.who, action: e.action, resource: e.resource, context: e.context}
		if got := outcome(t, r, e.policies...); got != e.want {
			t.Errorf("%s on %s: %s, want %s", e.action, e.resource, got, e.want)
		}
	})
}

var (
	carlos  = principal{account: "123456789012", session: "arn:aws:iam::123456789012:user/carlossalazar"}
	auditor = principal{
		account: "444455556666", role: "arn:aws:iam::444455556666:role/cross-account-read-only-role",
		session: "arn:aws:sts::444455556666:assumed-role/cross-account-read-only-role/cross-account-audit-app",
	}
)

func TestPublishedExamples(t *testing.T) {
	// "Policy evaluation logic", example identity-based and resource-based policy evaluation.
	carlosIdentity := one(`[
		{"Sid": "AllowS3ListRead", "Effect": "Allow", "Action": ["s3:GetBucketLocation", "s3:GetAccountPublicAccessBlock",
			"s3:ListAccessPoints", "s3:ListAllMyBuckets"], "Resource": "arn:aws:s3:::*"},
		{"Sid": "AllowS3Self", "Effect": "Allow", "Action": "s3:*",
			"Resource": ["arn:aws:s3:::carlossalazar/*", "arn:aws:s3:::carlossalazar"]},
		{"Sid": "DenyS3Logs", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::*log*"}]`)
	carlosBucket := one(`[{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:user/carlossalazar"},
		"Action": "s3:*", "Resource": ["arn:aws:s3:::carlossalazar/*", "arn:aws:s3:::carlossalazar"]}]`)
	// "The difference between explicit and implicit denies".
	reports := one(`[
		{"Sid": "AllowGetList", "Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"},
		{"Sid": "DenyReports", "Effect": "Deny", "Action": "iam:*Report", "Resource": "*"}]`)
	// "IAM JSON policy elements: NotAction" and "NotResource".
	notAction := one(`{"Effect": "Allow", "NotAction": "s3:DeleteBucket", "Resource": "arn:aws:s3:::*"}`)
	notIAM := one(`{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}`)
	payroll := one(`[{"Effect": "Deny", "Action": "s3:*",
		"NotResource": ["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"]},
		{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]`)
	for _, e := range []publishedExample{
		{"Carlos: deny on logs wins", carlos, "s3:PutObject", "arn:aws:s3:::carlossalazar-logs/x", nil, []string{carlosIdentity, carlosBucket}, explicitDeny},
		{"Carlos: both allow", carlos, "s3:PutObject", "arn:aws:s3:::carlossalazar/x", nil, []string{carlosIdentity, carlosBucket}, allowed},
		{"Carlos: identity alone allows", carlos, "s3:PutObject", "arn:aws:s3:::carlossalazar/x", nil, []string{carlosIdentity}, allowed},
		{"Carlos: bucket alone allows", carlos, "s3:PutObject", "arn:aws:s3:::carlossalazar/x", nil, []string{carlosBucket}, allowed},
		{"Carlos: bucket policy is his alone", auditor, "s3:PutObject", "arn:aws:s3:::carlossalazar/x", nil, []string{carlosBucket}, implicitDeny},
		{"reports: allowed", carlos, "iam:GetUser", "*", nil, []string{reports}, allowed},
		{"reports: implicitly denied", carlos, "iam:CreatePolicy", "*", nil, []string{reports}, implicitDeny},
		{"reports: explicitly denied", carlos, "iam:GetOrganizationsAccessReport", "*", nil, []string{reports}, explicitDeny},
		{"NotAction: every other S3 action", carlos, "s3:PutObject", "arn:aws:s3:::b/x", nil, []string{notAction}, allowed},
		{"NotAction: the excluded one", carlos, "s3:DeleteBucket", "arn:aws:s3:::b", nil, []string{notAction}, implicitDeny},
		{"NotAction: an action that requires *", carlos, "s3:ListAllMyBuckets", "*", nil, []string{notAction}, implicitDeny},
		{"NotAction: all but IAM", carlos, "sqs:SendMessage", "arn:aws:sqs:us-east-2:123456789012:q", nil, []string{notIAM}, allowed},
		{"NotAction: IAM", carlos, "iam:GetUser", "*", nil, []string{notIAM}, implicitDeny},
		{"NotResource: listed", carlos, "s3:GetObject", "arn:aws:s3:::HRBucket/Payroll/x", nil, []string{payroll}, allowed},
		{"NotResource: not listed", carlos, "s3:GetObject", "arn:aws:s3:::HRBucket/x", nil, []string{payroll}, explicitDeny},
	} {
		e.check(t)
	}
}

func TestPublishedPrincipalExamples(t *testing.T) {
	// "AWS JSON policy elements: NotPrincipal" and "Principal".
	audit := one(`[{"Effect": "Deny", "NotPrincipal": {"AWS": [
			"arn:aws:sts::444455556666:assumed-role/cross-account-read-only-role/cross-account-audit-app",
			"arn:aws:iam::444455556666:role/cross-account-read-only-role", "arn:aws:iam::444455556666:root"]},
		"Action": "s3:*", "Resource": ["arn:aws:s3:::Bucket_AccountAudit", "arn:aws:s3:::Bucket_AccountAudit/*"]}]`)
	intruder := auditor
	intruder.session = "arn:aws:sts::444455556666:assumed-role/cross-account-read-only-role/another-session"
	insteadOfNotPrincipal := one(`[{"Sid": "UsePrincipalArnInsteadOfNotPrincipalWithDeny", "Effect": "Deny", "Action": "s3:*",
		"Principal": "*", "Resource": ["arn:aws:s3:::BUCKETNAME/*", "arn:aws:s3:::BUCKETNAME"],
		"Condition": {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::444455556666:user/user-name"}}}]`)
	anyone := one(`{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}`)
	principalARN := func(arn string) requestContext { return requestContext{"aws:PrincipalArn": {arn}} }

	for _, e := range []publishedExample{
		{"NotPrincipal: listed", auditor, "s3:GetObject", "arn:aws:s3:::Bucket_AccountAudit/x", nil, []string{audit, anyone}, allowed},
		{"NotPrincipal: another session", intruder, "s3:GetObject", "arn:aws:s3:::Bucket_AccountAudit/x", nil, []string{audit, anyone}, explicitDeny},
		{"NotPrincipal: another account", carlos, "s3:GetObject", "arn:aws:s3:::Bucket_AccountAudit/x", nil, []string{audit, anyone}, explicitDeny},
		{"PrincipalArn: the one", auditor, "s3:GetObject", "arn:aws:s3:::BUCKETNAME/x", principalARN("arn:aws:iam::444455556666:user/user-name"), []string{insteadOfNotPrincipal, anyone}, allowed},
		{"PrincipalArn: another", auditor, "s3:GetObject", "arn:aws:s3:::BUCKETNAME/x", principalARN("arn:aws:iam::444455556666:user/other"), []string{insteadOfNotPrincipal, anyone}, explicitDeny},
	} {
		e.check(t)
	}
}

// conditionExample is an example of the IAM User Guide, "IAM JSON policy elements: Condition operators", "Set operators for
// multivalued context keys" or "IAM policy elements: Variables and tags".
type conditionExample struct {
	name, policy, action, resource string
	context                        requestContext
	want                           string
}

func (e conditionExample) check(t *testing.T) {
	t.Run(e.name, func(t *testing.T) {
		r := request{action: e.action, resource: e.resource, context: e.context}
		if got := outcome(t, r, one(e.policy)); got != e.want {
			t.Errorf("%s on %s with %v: %s, want %s", e.action, e.resource, e.context, got, e.want)
		}
	})
}

func key(name string, values ...string) requestContext { return requestContext{name: values} }

func TestPublishedConditionExamples(t *testing.T) {
	tls := `[{"Sid": "BooleanExample", "Action": "s3:*", "Effect": "Deny", "Resource": ["arn:aws:s3:::DOC-EXAMPLE-BUCKET",
		"arn:aws:s3:::DOC-EXAMPLE-BUCKET/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
		{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]`
	maxKeys := `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::example_bucket",
		"Condition": {"NumericLessThanEquals": {"s3:max-keys": "10"}}}`
	fresh := `{"Effect": "Allow", "Action": "iam:*AccessKey*", "Resource": "arn:aws:iam::123456789012:user/*",
		"Condition": {"DateGreaterThan": {"aws:TokenIssueTime": "2020-01-01T00:00:01Z"}}}`
	ranges := `{"Effect": "Allow", "Action": "someservice:*", "Resource": "*",
		"Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64"]}}}`
	broken := `{"Sid": "THISPOLICYDOESNOTWORK", "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*",
		"Condition": {"StringLike": {"ec2:InstanceType": ["t1.*", "t2.*", "m3.*"]}}}`
	mended := strings.Replace(broken, "StringLike", "StringLikeIfExists", 1)
	longTerm := `{"Action": "ec2:*", "Effect": "Allow", "Resource": "*", "Condition": {"Null": {"aws:TokenIssueTime": "true"}}}`
	for _, e := range []conditionExample{
		{"Bool: plain HTTP", tls, "s3:GetObject", "arn:aws:s3:::DOC-EXAMPLE-BUCKET/x", key("aws:SecureTransport", "false"), explicitDeny},
		{"Bool: TLS", tls, "s3:GetObject", "arn:aws:s3:::DOC-EXAMPLE-BUCKET/x", key("aws:SecureTransport", "true"), allowed},
		{"Numeric: at the limit", maxKeys, "s3:ListBucket", "arn:aws:s3:::example_bucket", key("s3:max-keys", "10"), allowed},
		{"Numeric: beyond", maxKeys, "s3:ListBucket", "arn:aws:s3:::example_bucket", key("s3:max-keys", "11"), implicitDeny},
		{"Numeric: compared as numbers", maxKeys, "s3:ListBucket", "arn:aws:s3:::example_bucket", key("s3:max-keys", "9"), allowed},
		{"Date: after", fresh, "iam:CreateAccessKey", "arn:aws:iam::123456789012:user/x", key("aws:TokenIssueTime", "2020-01-01T00:00:02Z"), allowed},
		{"Date: not after", fresh, "iam:CreateAccessKey", "arn:aws:iam::123456789012:user/x", key("aws:TokenIssueTime", "2020-01-01T00:00:01Z"), implicitDeny},
		{"Date: key absent", fresh, "iam:CreateAccessKey", "arn:aws:iam::123456789012:user/x", key("aws:TokenIssueTime"), implicitDeny},
		{"IP: IPv4 inside", ranges, "someservice:Do", "*", key("aws:SourceIp", "203.0.113.255"), allowed},
		{"IP: IPv4 outside", ranges, "someservice:Do", "*", key("aws:SourceIp", "203.0.114.0"), implicitDeny},
		{"IP: IPv6 inside", ranges, "someservice:Do", "*", key("aws:SourceIp", "2001:db8:1234:5678::1"), allowed},
		{"IfExists: without it", broken, "ec2:RunInstances", "*", key("ec2:InstanceType"), implicitDeny},
		{"IfExists: key absent", mended, "ec2:RunInstances", "*", key("ec2:InstanceType"), allowed},
		{"IfExists: key matches", mended, "ec2:RunInstances", "*", key("ec2:InstanceType", "t2.micro"), allowed},
		{"IfExists: key differs", mended, "ec2:RunInstances", "*", key("ec2:InstanceType", "m4.large"), implicitDeny},
		{"Null: absent", longTerm, "ec2:RunInstances", "*", key("aws:TokenIssueTime"), allowed},
		{"Null: present", longTerm, "ec2:RunInstances", "*", key("aws:TokenIssueTime", "2020-01-01T00:00:01Z"), implicitDeny},
	} {
		e.check(t)
	}
}

func TestPublishedSetAndVariableExamples(t *testing.T) {
	onlyThese := `[{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "arn:aws:dynamodb:us-east-2:123456789012:table/Thread",
		"Condition": {"ForAllValues:StringLike": {"dynamodb:requestedAttributes": ["PostDateTime", "Message", "Tags"]}}}]`
	noneOfThese := `[{"Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": "arn:aws:dynamodb:us-east-2:123456789012:table/Thread",
		"Condition": {"ForAnyValue:StringLike": {"dynamodb:requestedAttributes": ["ID", "PostDateTime"]}}},
		{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]`
	home := `[{"Action": ["s3:ListBucket"], "Effect": "Allow", "Resource": ["arn:aws:s3:::mybucket"],
		"Condition": {"StringLike": {"s3:prefix": ["${aws:username}/*"]}}},
		{"Action": ["s3:GetObject", "s3:PutObject"], "Effect": "Allow", "Resource": ["arn:aws:s3:::mybucket/${aws:username}/*"]}]`
	regions := `{"Effect": "Allow", "Action": "ec2:Run*", "Resource": "*",
		"Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-2", "eu-west-3"]}}}`
	thread := "arn:aws:dynamodb:us-east-2:123456789012:table/Thread"
	attributes := func(values ...string) requestContext { return key("dynamodb:requestedAttributes", values...) }
	david := requestContext{"aws:username": {"David"}, "s3:prefix": {"David/x"}}
	eve := requestContext{"aws:username": {"*"}, "s3:prefix": {"David/x"}}
	for _, e := range []conditionExample{
		{"ForAllValues: all listed", onlyThese, "dynamodb:GetItem", thread, attributes("PostDateTime", "Message"), allowed},
		{"ForAllValues: one not listed", onlyThese, "dynamodb:GetItem", thread, attributes("PostDateTime", "UserName"), implicitDeny},
		{"ForAllValues: none at all", onlyThese, "dynamodb:GetItem", thread, attributes(), allowed},
		{"ForAnyValue: one listed", noneOfThese, "dynamodb:PutItem", thread, attributes("UserName", "Message", "PostDateTime"), explicitDeny},
		{"ForAnyValue: none listed", noneOfThese, "dynamodb:PutItem", thread, attributes("UserName"), allowed},
		{"ForAnyValue: none at all", noneOfThese, "dynamodb:PutItem", thread, attributes(), allowed},
		{"variable: own prefix", home, "s3:ListBucket", "arn:aws:s3:::mybucket", david, allowed},
		{"variable: own object", home, "s3:GetObject", "arn:aws:s3:::mybucket/David/x", david, allowed},
		{"variable: another's object", home, "s3:GetObject", "arn:aws:s3:::mybucket/Eve/x", david, implicitDeny},
		{"variable: its value is no wildcard", home, "s3:GetObject", "arn:aws:s3:::mybucket/David/x", eve, implicitDeny},
		{"variable: nor in a condition", home, "s3:ListBucket", "arn:aws:s3:::mybucket", eve, implicitDeny},
		{"any of several values", regions, "ec2:RunInstances", "*", key("AWS:requestedregion", "eu-west-2"), allowed},
		{"none of several values", regions, "ec2:RunInstances", "*", key("aws:RequestedRegion", "us-east-1"), implicitDeny},
	} {
		e.check(t)
	}
}
