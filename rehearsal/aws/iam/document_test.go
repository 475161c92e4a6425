package iam

import (
	"os"
	"strings"
	"testing"
)

func TestParseAccepts(t *testing.T) {
	tests := []struct {
		name string
		kind Kind
		text string
	}{
		{"single values", IdentityPolicy, `{"Version":"2012-10-17","Statement":{"Sid":"Push1","Effect":"Allow","Action":"ecr:PutImage","Resource":"*"}}`},
		{"lists", IdentityPolicy, `{"Statement":[{"Effect":"Deny","NotAction":["s3:*"],"NotResource":["arn:aws:s3:::b","arn:aws-cn:s3:::*"]}]}`},
		{"numbers and booleans unquoted", IdentityPolicy, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":[true]},"NumericLessThan":{"s3:TlsVersion":1.2}}}}`},
		{"no conditions", IdentityPolicy, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}}`},
		{"segments left out after *", IdentityPolicy, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:ecr:*"}}`},
		{"trust", TrustPolicy, `{"Version":"2008-10-17","Id":"x","Statement":{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com"]},"Action":"sts:AssumeRole"}}`},
		{"bucket", BucketPolicy, `{"Id":"x","Statement":{"Sid":"with spaces","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}`},
		{"principals", BucketPolicy, `{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":["123456789012","arn:aws:iam::123456789012:role/r"],"Federated":"accounts.google.com"},"Action":"s3:*","Resource":"*"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, violations := Parse(tt.kind, tt.text); violations != nil {
				t.Error(violations)
			}
		})
	}
}

// allow returns a policy with one statement that allows something.
func allow(members string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + members + `}]}`
}

func allowIdentity(members string) string {
	return allow(`"Action":"s3:GetObject","Resource":"*",` + members)
}

func allowPrincipal(principal string) string {
	return allow(`"Action":"s3:*","Resource":"*","Principal":` + principal)
}

// canonicalUser is a principal with the id that the documentation of AWS CDK has as its example.
const canonicalUser = `{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}`

func allowIf(condition string) string { return allowIdentity(`"Condition":` + condition) }

// Where this grammar used to differ from one for creating policies, or both from AWS, and where AWS says so: pages of
// the IAM User Guide by their short names, and IAM's answers to others ("moto's tests", see parser).
func TestParseAsAWSDoes(t *testing.T) {
	const legal = ""
	tests := []struct {
		name   string
		kind   Kind
		text   string
		want   string // "" where AWS takes it
		source string
	}{
		{"Id of an identity's policy", IdentityPolicy, `{"Id":"x","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, legal,
			`moto's tests, though the grammar says that the id_block "must not be included in identity-based policies"`},
		{"element twice", IdentityPolicy, allowIdentity(`"Effect":"Deny"`), `"Effect" occurs twice`, `grammar: "must not contain multiple instances of the same key"`},
		{"null beside the Not form", IdentityPolicy, allow(`"Action":null,"NotAction":"s3:*","Resource":"*"`), "exclude each other", "grammar: one or the other"},
		{"null for a condition", IdentityPolicy, allowIf("null"), "want a JSON object", `grammar: "Condition" : { <condition_map> }`},
		{"Sid of a bucket's policy", BucketPolicy, allow(`"Sid":"Allow get requests","Principal":"*","Action":"s3:*","Resource":"*"`), legal,
			`grammar: "some services allow additional characters such as spaces"; S3 User Guide, bucket policy examples`},
		{"action in capitals", IdentityPolicy, allow(`"Action":"S3:getobject","Resource":"*"`), legal, `Action: "The prefix and the action name are case insensitive."`},
		{"action of every service", IdentityPolicy, allow(`"Action":"*:Untag*","Resource":"*"`), "must not contain wildcards", "boogy/iam-policy-validator pull request 172"},
		{"every action of every service", IdentityPolicy, allow(`"Action":"*:*","Resource":"*"`), "must not contain wildcards", "the same, word for word; nothing says that it is an exception"},
		{"action that nobody has", IdentityPolicy, allow(`"Action":["config:select-resource-config","ec2: DescribeAccountAttributes"],"Resource":"*"`), legal,
			"AWS's own policies, such as ReadOnlyAccess; moto's tests"},
		{"vendor with a dot", IdentityPolicy, allow(`"Action":"s3.s:ListBucket","Resource":"*"`), legal, "moto's tests"},
		{"vendor with a space", IdentityPolicy, allow(`"Action":"a a:ListBucket","Resource":"*"`), "Vendor a a is not valid", "moto's tests"},
		{"two colons", IdentityPolicy, allow(`"Action":"s3:List:Bucket","Resource":"*"`), "can contain only one colon", "moto's tests; garnaat/kappa issue 111"},
		{"ARN that leaves out its end", IdentityPolicy, allow(`"Action":"*","Resource":"arn:aws:sqs"`), legal,
			`"AWS automatically completes the ARN by adding wildcard characters (*) to all missing fields."`},
		{"ARN that leaves out something else", IdentityPolicy, allow(`"Action":"*","Resource":"arn:aws:s3::my-bucket"`), "failed legacy parsing", "moto's tests"},
		{"ARN without a service", IdentityPolicy, allow(`"Action":"*","Resource":"arn:aws::::b"`), "failed legacy parsing", "moto's tests"},
		{"every partition", IdentityPolicy, allow(`"Action":"*","Resource":"arn:*:s3:::bucket/*"`), legal, "AWS's own policies, such as AWSDataSyncFullAccess"},
		{"no such partition", IdentityPolicy, allow(`"Action":"*","Resource":"arn:aws-gov:s3:::b"`), `Partition "aws-gov" is not valid for resource`, "moto's tests"},
		{"every service", IdentityPolicy, allow(`"Action":"*","Resource":"arn:aws:*:::b"`), "vendor must be fully qualified", `Resource: "You can't use a wildcard in the service segment"`},
		{"service in capitals", IdentityPolicy, allow(`"Action":"*","Resource":"arn:aws:S3:::b"`), "vendor must be fully qualified", "validation checks, invalid ARN service case"},
		{"variable for an account", IdentityPolicy, allow(`"Action":"*","Resource":"arn:aws:sns:us-east-1:${aws:PrincipalAccount}:t"`), "after the fifth colon",
			`Variables: "You can't use a variable to replace parts of the ARN before the fifth colon"`},
		{"principal's wildcard", TrustPolicy, allow(`"Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::123456789012:role/*"}`), "Invalid principal in policy",
			`Principal: "You cannot use a wildcard to match part of a principal name or ARN."`},
		{"everybody as a role's principal", TrustPolicy, allow(`"Action":"sts:AssumeRole","Principal":"*"`), `Invalid principal in policy: "*"`,
			"validation checks, role trust policy unsupported wildcard in principal; aws/aws-cdk pull request 5746"},
		{"everybody with an account as a role's principal", TrustPolicy, allow(`"Action":"sts:AssumeRole","Principal":{"AWS":"*"}`), legal, "the same pull request"},
		{"exceptions from a role's principals", TrustPolicy, allow(`"Action":"sts:AssumeRole","NotPrincipal":{"AWS":"123456789012"}`), `unknown element "NotPrincipal"`,
			`NotPrincipal: "You cannot use the NotPrincipal element in […] an IAM role trust policy."`},
		{"no principal", TrustPolicy, allow(`"Action":"sts:AssumeRole","Principal":{"AWS":[]}`), "Invalid principal in policy", "grammar: a list has at least one item"},
		{"principal that is no service", TrustPolicy, allow(`"Action":"sts:AssumeRole","Principal":{"Service":"ec2"}`), `Invalid principal in policy: "Service":"ec2"`,
			"validation checks, invalid service principal format"},
		{"canonical user of a role", TrustPolicy, allow(`"Action":"sts:AssumeRole","Principal":{"CanonicalUser":"79a5"}`), "Invalid principal in policy",
			`grammar: "Most resource-based policies do not support this mapping"`},
		{"canonical user of a bucket", BucketPolicy, allowPrincipal(canonicalUser), legal, "S3 User Guide, Principals"},
		{"canonical user that cannot be one", BucketPolicy, allowPrincipal(`{"CanonicalUser":"79a59df9"}`), `Invalid principal in policy: "CanonicalUser"`,
			`S3 User Guide, Principals: "64-digit-alphanumeric-value"`},
		{"no date", IdentityPolicy, allowIf(`{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}`), "failed legacy parsing", "moto's tests"},
		{"condition key without a service", IdentityPolicy, allowIf(`{"StringEquals":{"PassedToService":"spotfleet.amazonaws.com"}}`), legal,
			"AWS's own AmazonEC2SpotFleetTaggingRole, version 1; what asks for it is an error when it is evaluated"},
		{"set of Null", IdentityPolicy, allowIf(`{"ForAnyValue:Null":{"aws:SourceArn":"true"}}`), legal, "validation checks, null with qualifier"},
		{"month", IdentityPolicy, allowIf(`{"DateLessThan":{"aws:CurrentTime":"2027-01"}}`), legal, `Condition operators: "one of the W3C implementations of the ISO 8601 date formats"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, violations := Parse(tt.kind, tt.text)
			switch {
			case tt.want == legal && violations != nil:
				t.Errorf("%v, but AWS takes it: %s", violations, tt.source)
			case tt.want != legal && (len(violations) != 1 || violations[0].OwnRule || !strings.Contains(violations[0].Reason, tt.want)):
				t.Errorf("%v, want %q alone: %s", violations, tt.want, tt.source)
			}
		})
	}
}

// What AWS accepts and the rehearsal rejects, because it could not evaluate it or because it has no effect. The
// reasons must not be mistaken for AWS's. docs/architecture.md lists the same.
func TestParseDeclines(t *testing.T) {
	page, err := os.ReadFile("../../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(strings.Join(strings.Fields(string(page)), " "), "Policies that AWS takes and a rehearsal does not")
	list, _, _ = strings.Cut(list, "##")
	const (
		badValue      = "a value that no request could match"
		noEffect      = "a statement of a key policy without `Action` or `Resource`"
		canonicalDeny = "a statement that denies something to a `CanonicalUser`"
	)
	tests := []struct {
		name       string
		kind       Kind
		text, want string
		listed     string // in the list
	}{
		{"binary", IdentityPolicy, allowIf(`{"BinaryEquals":{"x:y":"QQ=="}}`), "statement 1: condition BinaryEquals x:y: no condition key that a rehearsal knows is binary", "`BinaryEquals`"},
		{"binary if it exists", IdentityPolicy, allowIf(`{"ForAnyValue:BinaryEqualsIfExists":{"x:y":"QQ=="}}`), "is binary", "`BinaryEquals`"},
		{"operator without keys", IdentityPolicy, allowIf(`{"Bool":{}}`), "condition Bool has no condition key", "an operator without a key"},
		{"no condition values", IdentityPolicy, allowIf(`{"Bool":{"aws:SecureTransport":[]}}`), "the list is empty", "a key without a value"},
		{"Bool value", IdentityPolicy, allowIf(`{"Bool":{"aws:SecureTransport":"yes"}}`), `"yes" is neither true nor false`, badValue},
		{"Null value", IdentityPolicy, allowIf(`{"Null":{"aws:SourceArn":"yes"}}`), `"yes" is neither true nor false`, badValue},
		{"numeric value", IdentityPolicy, allowIf(`{"NumericLessThan":{"s3:TlsVersion":"1e2"}}`), `"1e2" is not a decimal number`, badValue},
		{"address value", IdentityPolicy, allowIf(`{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}}`), `"10.0.0.0/33" is neither`, badValue},
		{"ARN value", IdentityPolicy, allowIf(`{"ArnLike":{"aws:SourceArn":"*"}}`), `"*" is not an ARN`, badValue},
		{"canonical user denied", BucketPolicy, strings.Replace(allowPrincipal(canonicalUser), "Allow", "Deny", 1), "use the account's number", canonicalDeny},
		{"canonical user excepted", BucketPolicy, strings.Replace(allowPrincipal(canonicalUser), "Principal", "NotPrincipal", 1), "use the account's number", canonicalDeny},
		{"key policy without resource", KeyPolicy, allow(`"Principal":"*","Action":"kms:*"`), "element Resource is missing, so the statement has no effect", noEffect},
		{"key policy without action", KeyPolicy, allow(`"Principal":"*","Resource":"*"`), "element Action is missing, so the statement has no effect", noEffect},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, violations := Parse(tt.kind, tt.text)
			if len(violations) != 1 || !violations[0].OwnRule {
				t.Fatalf("%v, want one violation of a rule of the rehearsal's own", violations)
			}
			for _, part := range []string{tt.want, "AWS accepts this, but it cannot be rehearsed: "} {
				if !strings.Contains(violations[0].Error(), part) {
					t.Errorf("%v, want %q in it", violations[0], part)
				}
			}
			if !strings.Contains(list, tt.listed) {
				t.Errorf("docs/architecture.md does not list %q", tt.listed)
			}
		})
	}
	for _, property := range notEvaluated {
		if name := strings.TrimSuffix(property, "PolicyArns"); !strings.Contains(list, name) {
			t.Errorf("docs/architecture.md does not list the property %s of a role", property)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		name string
		kind Kind
		text string
		want string
	}{
		{"nothing", IdentityPolicy, ``, "contains an invalid JSON policy: want a JSON object"},
		{"no object", IdentityPolicy, `[]`, "want a JSON object"},
		{"cut off", IdentityPolicy, `{"Version":`, "EOF"},
		{"trailing text", IdentityPolicy, `{"Statement":[]} x`, "after the end"},
		{"unknown element", IdentityPolicy, `{"Statements":[]}`, `Syntax errors in policy: unknown element "Statements"`},
		{"case of an element", IdentityPolicy, `{"statement":[]}`, `unknown element "statement"`},
		{"principal of the document", IdentityPolicy, `{"Principal":"*","Statement":[]}`, `unknown element "Principal"; allowed here: Version, Id, Statement`},
		{"version", IdentityPolicy, `{"Version":"2012-10-18","Statement":[]}`, "The policy must contain a valid version string"},
		{"no statement", IdentityPolicy, `{"Version":"2012-10-17"}`, "Missing required field Statement"},
		{"empty statements", IdentityPolicy, `{"Statement":[]}`, "Missing required field Statement"},
		{"statement that is none", IdentityPolicy, `{"Statement":["x"]}`, "statement 1: Syntax errors in policy: want a JSON object"},
		{"unknown statement element", IdentityPolicy, allowIdentity(`"Resources":"*"`), `statement 1: Syntax errors in policy: unknown element "Resources"`},
		{"effect", IdentityPolicy, `{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}`, "Effect must be Allow or Deny"},
		{"effect missing", IdentityPolicy, `{"Statement":{"Action":"*","Resource":"*"}}`, "Effect must be Allow or Deny"},
		{"action missing", IdentityPolicy, allow(`"Resource":"*"`), "Policy statement must contain actions"},
		{"both actions", IdentityPolicy, allow(`"Action":"*","NotAction":"*","Resource":"*"`), "exclude each other"},
		{"empty actions", IdentityPolicy, allow(`"Action":[],"Resource":"*"`), "Policy statement must contain actions: element Action: the list is empty"},
		{"null action", IdentityPolicy, allow(`"Action":null,"Resource":"*"`), "element Action: null is not a string"},
		{"number action", IdentityPolicy, allow(`"Action":[1],"Resource":"*"`), "1 is not a string"},
		{"action without service", IdentityPolicy, allow(`"Action":"GetItem","Resource":"*"`), `prefaced by a vendor, e.g., iam, sdb, ec2, etc.: action "GetItem"`},
		{"resource missing", IdentityPolicy, allow(`"Action":"*"`), "Policy statement must contain resources"},
		{"resource no ARN", IdentityPolicy, allow(`"Action":"*","Resource":"my-bucket"`), `Resource my-bucket must be in ARN format or "*"`},
		{"resource too short", IdentityPolicy, allow(`"Action":"*","Resource":"arn:aws"`), "vendor must be fully qualified"},
		{"sid", IdentityPolicy, allowIdentity(`"Sid":"a b"`), `Statement IDs (SID) must be alpha-numeric, got "a b"`},
		{"sid twice", IdentityPolicy, `{"Statement":[{"Sid":"A","Effect":"Deny","Action":"*","Resource":"*"},{"Sid":"A","Effect":"Deny","Action":"*","Resource":"*"}]}`, "must be unique"},
		{"principal in identity policy", IdentityPolicy, allowIdentity(`"NotPrincipal":"*"`), "Policy document should not specify a principal"},
		{"resource in trust policy", TrustPolicy, allow(`"Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Resource":"*"`), "Has prohibited field Resource"},
		{"principal missing", TrustPolicy, allow(`"Action":"sts:AssumeRole"`), "Missing required field Principal"},
		{"principal text", BucketPolicy, allowPrincipal(`"ec2.amazonaws.com"`), `Invalid principal in policy: "ec2.amazonaws.com"`},
		{"principal empty", BucketPolicy, allowPrincipal(`{}`), "Missing required field Principal"},
		{"principal type", BucketPolicy, allowPrincipal(`{"User":"x"}`), `Invalid principal in policy: "User":"x"`},
		{"principal service wildcard", BucketPolicy, allowPrincipal(`{"Service":"*"}`), `Invalid principal in policy: "Service":"*"`},
		{"operator", IdentityPolicy, allowIf(`{"StringMatches":{"aws:SourceArn":"x"}}`), "Invalid Condition type : StringMatches"},
		{"operator's case", IdentityPolicy, allowIf(`{"stringequals":{"aws:SourceArn":"x"}}`), "Invalid Condition type : stringequals"},
		{"Null IfExists", IdentityPolicy, allowIf(`{"NullIfExists":{"aws:SourceArn":"true"}}`), "Invalid Condition type : NullIfExists"},
		{"null condition value", IdentityPolicy, allowIf(`{"Bool":{"aws:SecureTransport":null}}`), "null is not a string"},
		{"condition no object", IdentityPolicy, allowIf(`{"Bool":"x"}`), "condition Bool: want a JSON object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, violations := Parse(tt.kind, tt.text)
			if len(violations) == 0 || violations[0].OwnRule || !strings.Contains(violations[0].Reason, tt.want) {
				t.Errorf("Parse(%s): %v, want %q first", tt.text, violations, tt.want)
			}
		})
	}
}

func TestParseReportsAll(t *testing.T) {
	_, violations := Parse(IdentityPolicy, `{"Statement":[
		{"Sid":"First","Effect":"yes","Action":"GetObject","Resource":"bucket"},
		{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Is":{"a":"b"}}}]}`)
	all := joined(violations)
	if len(violations) != 4 {
		t.Errorf("%d violations, want 4:\n%v", len(violations), all)
	}
	for _, want := range []string{`statement "First": Effect`, `action "GetObject"`, "Resource bucket", "statement 2: Invalid Condition type : Is"} {
		if all == nil || !strings.Contains(all.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, all)
		}
	}
}
