package iam

import "testing"

func TestActionMatch(t *testing.T) {
	tests := []struct {
		pattern, action string
		want            bool
	}{
		{"s3:GetObject", "s3:GetObject", true},
		{"S3:getobject", "s3:GetObject", true},
		{"s3:GetObject", "s3:GetObjectVersion", false},
		{"s3:Get*", "s3:GetObjectVersion", true},
		{"s3:*Object", "s3:GetObject", true},
		{"s3:*Object", "s3:GetObjectVersion", false},
		{"s3:*", "sts:AssumeRole", false},
		{"iam:*AccessKey*", "iam:CreateAccessKey", true},
		{"s3:?etObject", "s3:GetObject", true},
		{"s3:?GetObject", "s3:GetObject", false},
		{"s3:GetObject?", "s3:GetObject", false},
		{"*", "ecr:PutImage", true},
		{"*:*", "ecr:PutImage", true},
	}
	for _, tt := range tests {
		if got := (Statement{Actions: []string{tt.pattern}}).matchesAction(tt.action); got != tt.want {
			t.Errorf("%q matches action %q: %t, want %t", tt.pattern, tt.action, got, tt.want)
		}
	}
}

func TestResourceMatch(t *testing.T) {
	tests := []struct {
		pattern, resource string
		want              bool
	}{
		{"*", "arn:aws:s3:::b", true},
		{"*", "*", true},
		{"arn:aws:s3:::*", "*", false},
		{"arn:aws:s3:::b", "arn:aws:s3:::b", true},
		{"arn:aws:s3:::B", "arn:aws:s3:::b", false},
		{"arn:aws:s3:::b", "arn:aws:s3:::b/x", false},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b", false},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b/x/y", true},
		{"arn:aws:s3:::b/*/z", "arn:aws:s3:::b/x/y/z", true},
		{"arn:aws:s3:::b/*.zip", "arn:aws:s3:::b/x:y.zip", true},
		{"arn:aws:s3:::b/?", "arn:aws:s3:::b/:", true},
		{"arn:aws:s3:::b/?", "arn:aws:s3:::b/", false},
		{"arn:aws:s3:::b/é?", "arn:aws:s3:::b/éè", true},
		{"arn:aws:logs:*:123456789012:log-group:g:*", "arn:aws:logs:eu-west-1:123456789012:log-group:g:log-stream:s", true},
		{"arn:aws:logs:eu-*-1:123456789012:x", "arn:aws:logs:eu-west-1:123456789012:x", true},
		{"arn:aws:logs:e*1:123456789012:x", "arn:aws:logs:eu:1:123456789012:x", false}, // inside its segment
		{"arn:aws:logs:e*:1:x", "arn:aws:logs:eu-west-1:123456789012:1:x", true},       // at its end: beyond
		{"arn:aws:logs:eu?west:1:x", "arn:aws:logs:eu:west:1:x", false},                // never a colon
		{"arn:aws:logs:e?:1:x", "arn:aws:logs:e::1:x", false},                          // nor at its end
		{"arn:aws:ecr:*", "arn:aws:ecr:eu-west-1:123456789012:repository/r", true},     // segments left out
		{"arn:aws:ecr", "arn:aws:ecr:eu-west-1:123456789012:repository/r", true},
		{"arn:aws:ecr:eu-west-1", "arn:aws:ecr:eu-west-1:123456789012:repository/r", true},
		{"arn:aws:ecr:eu-west-1", "arn:aws:ecr:eu-west-2:123456789012:repository/r", false},
		{"arn:aws:ecr", "arn:aws:ecs:eu-west-1:123456789012:cluster/c", false},
		{"arn:*:ecr:*:*:repository/r", "arn:aws-cn:ecr:cn-north-1:123456789012:repository/r", true},
		{"arn:aws:ecr:eu-west-1:123456789012:repository/r", "arn:aws:ecr:eu-west-2:123456789012:repository/r", false},
		{"arn:aws:ecr:eu-west-1::repository/r", "arn:aws:ecr:eu-west-1:123456789012:repository/r", false},
	}
	for _, tt := range tests {
		got, _, err := Statement{Resources: []string{tt.pattern}}.matchesResource(tt.resource, variables{})
		if err != nil || got != tt.want {
			t.Errorf("%q matches resource %q: %t, %v, want %t", tt.pattern, tt.resource, got, err, tt.want)
		}
	}
}

func TestVariables(t *testing.T) {
	context := requestContext{"aws:PrincipalAccount": {"123456789012"}, "aws:username": nil, "aws:TagKeys": {"a", "b"}}
	tests := []struct {
		version, pattern, resource string
		want                       string // outcome, or part of the error
	}{
		{"2012-10-17", "b/${aws:PrincipalAccount}/x", "b/123456789012/x", allowed},
		{"2012-10-17", "b/${AWS:principalaccount}", "b/123456789012", allowed},
		{"2012-10-17", "b/${aws:PrincipalAccount}", "b/999999999999", implicitDeny},
		{"2012-10-17", "b/${*}${?}${$}", "b/*?$", allowed},
		{"2012-10-17", "b/${*}", "b/x", implicitDeny},
		{"2012-10-17", "b/${?}", "b/x", implicitDeny},
		{"2012-10-17", "b/$x", "b/$x", allowed},
		{"2012-10-17", "b/${aws:username, 'anonymous'}", "b/anonymous", allowed},
		{"2012-10-17", "b/${aws:username}", "b/x", implicitDeny},
		{"2012-10-17", "b/${aws:TagKeys}", "b/a", "2 values"},
		{"2012-10-17", "b/${aws:userid}", "b/x", `condition key "aws:userid" cannot be rehearsed`},
		{"2012-10-17", "b/${aws:username", "b/x", "not closed"},
		{"2008-10-17", "b/${aws:PrincipalAccount}", "b/123456789012", implicitDeny},
		{"2008-10-17", "b/${aws:PrincipalAccount}", "b/${aws:PrincipalAccount}", allowed},
	}
	for _, tt := range tests {
		policy := `{"Version": "` + tt.version + `", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::` + tt.pattern + `"}}`
		r := request{action: "s3:GetObject", resource: "arn:aws:s3:::" + tt.resource, context: context}
		checkOutcome(t, tt.version+" "+tt.pattern+" for "+tt.resource, outcome(t, r, policy), tt.want)
	}
}

// A variable without a value drops its statement, not the request: IAM User Guide, "Policy variables with no value".
func TestVariableWithoutValue(t *testing.T) {
	const others = `{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}, `
	statement := func(effect, members string) string {
		return `{"Effect": "` + effect + `", "Action": "s3:*", ` + members + `}`
	}
	condition := func(operator string) string {
		return `"Resource": "*", "Condition": {"` + operator + `": {"aws:PrincipalArn": "arn:aws:iam::1:user/${aws:username}"}}`
	}
	for name, tt := range map[string]struct{ statements, want string }{
		"beside another that allows":    {others + statement("Allow", `"Resource": "arn:aws:s3:::b/${aws:username}/*"`), allowed},
		"beside another, denying":       {others + statement("Deny", `"Resource": "arn:aws:s3:::b/${aws:username}*"`), allowed},
		"alone":                         {statement("Allow", `"Resource": "arn:aws:s3:::b/${aws:username}*"`), implicitDeny},
		"beside another resource":       {statement("Allow", `"Resource": ["arn:aws:s3:::b/${aws:username}", "arn:aws:s3:::b/x"]`), allowed},
		"as an exception":               {others + statement("Deny", `"NotResource": "arn:aws:s3:::b/${aws:username}*"`), explicitDeny},
		"that has to be equal":          {others + statement("Deny", condition("StringEquals")), allowed},
		"that has to be like":           {others + statement("Deny", condition("StringLike")), allowed},
		"that must not be equal":        {others + statement("Deny", condition("StringNotEquals")), explicitDeny},
		"that must not be like, as ARN": {others + statement("Deny", condition("ArnNotLike")), explicitDeny},
	} {
		r := request{action: "s3:GetObject", resource: "arn:aws:s3:::b/x", context: requestContext{
			"aws:username": nil, "aws:PrincipalArn": {"arn:aws:iam::123456789012:role/r"}}}
		checkOutcome(t, name, outcome(t, r, one("["+tt.statements+"]")), tt.want)
	}
}

func TestPatternTakesNoExponentialTime(t *testing.T) {
	p, err := compile("*a*a*a*a*a*a*a*a*a*a*a*a*b", variables{})
	if err != nil {
		t.Fatal(err)
	}
	long := make([]byte, 5000)
	for i := range long {
		long[i] = 'a'
	}
	if p.match(string(long)) {
		t.Error("matches without a b")
	}
}
