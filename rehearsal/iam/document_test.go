package iam

import (
	"strings"
	"testing"
)

func TestParseAccepts(t *testing.T) {
	tests := []struct {
		name string
		kind kind
		text string
	}{
		{"single values", identityPolicy, `{"Version":"2012-10-17","Statement":{"Sid":"Push1","Effect":"Allow","Action":"ecr:PutImage","Resource":"*"}}`},
		{"lists", identityPolicy, `{"Statement":[{"Effect":"Deny","NotAction":["s3:*"],"NotResource":["arn:aws:s3:::b","arn:aws-cn:s3:::*"]}]}`},
		{"numbers and booleans unquoted", identityPolicy, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":[true]},"NumericLessThan":{"s3:TlsVersion":1.2}}}}`},
		{"segments left out after *", identityPolicy, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:ecr:*"}}`},
		{"trust", trustPolicy, `{"Version":"2008-10-17","Id":"x","Statement":{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com"]},"Action":"sts:AssumeRole"}}`},
		{"bucket", resourcePolicy, `{"Id":"x","Statement":{"Sid":"with spaces","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}}`},
		{"principals", resourcePolicy, `{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":["123456789012","arn:aws:iam::123456789012:role/r"],"Federated":"accounts.google.com"},"Action":"s3:*","Resource":"*"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parse(tt.kind, tt.text); err != nil {
				t.Errorf("parse: %v", err)
			}
		})
	}
}

func TestParseRejects(t *testing.T) {
	allow := func(members string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + members + `}]}`
	}
	identity := func(members string) string { return allow(`"Action":"s3:GetObject","Resource":"*",` + members) }
	principal := func(value string) string {
		return allow(`"Action":"s3:*","Resource":"*","Principal":` + value)
	}
	tests := []struct {
		name string
		kind kind
		text string
		want string
	}{
		{"nothing", identityPolicy, ``, "want a JSON object"},
		{"no object", identityPolicy, `[]`, "want a JSON object"},
		{"cut off", identityPolicy, `{"Version":`, "EOF"},
		{"trailing text", identityPolicy, `{"Statement":[]} x`, "after the end"},
		{"unknown element", identityPolicy, `{"Statements":[]}`, `unknown element "Statements"`},
		{"case of an element", identityPolicy, `{"statement":[]}`, `unknown element "statement"`},
		{"element twice", identityPolicy, `{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}`, `"Version" occurs twice`},
		{"Id in identity policy", identityPolicy, `{"Id":"x","Statement":[]}`, `unknown element "Id"`},
		{"version", identityPolicy, `{"Version":"2012-10-18","Statement":[]}`, `element Version is "2012-10-18"`},
		{"no statement", identityPolicy, `{"Version":"2012-10-17"}`, "Statement is missing"},
		{"empty statements", identityPolicy, `{"Statement":[]}`, "Statement is empty"},
		{"unknown statement element", identityPolicy, identity(`"Resources":"*"`), `statement 1: unknown element "Resources"`},
		{"effect", identityPolicy, `{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}`, "element Effect"},
		{"effect missing", identityPolicy, `{"Statement":{"Action":"*","Resource":"*"}}`, "element Effect"},
		{"action missing", identityPolicy, allow(`"Resource":"*"`), "element Action (or NotAction) is missing"},
		{"both actions", identityPolicy, allow(`"Action":"*","NotAction":"*","Resource":"*"`), "exclude each other"},
		{"empty actions", identityPolicy, allow(`"Action":[],"Resource":"*"`), "element Action: the list is empty"},
		{"null action", identityPolicy, allow(`"Action":null,"Resource":"*"`), "element Action"},
		{"number action", identityPolicy, allow(`"Action":[1],"Resource":"*"`), "1 is not a string"},
		{"action without service", identityPolicy, allow(`"Action":"GetItem","Resource":"*"`), `action "GetItem"`},
		{"action with wildcard in service", identityPolicy, allow(`"Action":"s*:Get","Resource":"*"`), `action "s*:Get"`},
		{"resource missing", identityPolicy, allow(`"Action":"*"`), "element Resource (or NotResource) is missing"},
		{"resource no ARN", identityPolicy, allow(`"Action":"*","Resource":"my-bucket"`), `resource "my-bucket"`},
		{"resource too short", identityPolicy, allow(`"Action":"*","Resource":"arn:aws:s3::my-bucket"`), `resource "arn:aws:s3::my-bucket"`},
		{"resource's partition", identityPolicy, allow(`"Action":"*","Resource":"arn:*:s3:::b"`), `partition "*"`},
		{"resource's service", identityPolicy, allow(`"Action":"*","Resource":"arn:aws:*:::b"`), `service "*"`},
		{"variable too early", identityPolicy, allow(`"Action":"*","Resource":"arn:aws:sns:us-east-1:${aws:PrincipalAccount}:t"`), "after the fifth colon"},
		{"sid", identityPolicy, identity(`"Sid":"a b"`), "element Sid"},
		{"sid twice", identityPolicy, `{"Statement":[{"Sid":"A","Effect":"Deny","Action":"*","Resource":"*"},{"Sid":"A","Effect":"Deny","Action":"*","Resource":"*"}]}`, "same Sid"},
		{"principal in identity policy", identityPolicy, identity(`"Principal":"*"`), `unknown element "Principal"`},
		{"resource in trust policy", trustPolicy, allow(`"Principal":"*","Action":"sts:AssumeRole","Resource":"*"`), `unknown element "Resource"`},
		{"principal missing", trustPolicy, allow(`"Action":"sts:AssumeRole"`), "element Principal (or NotPrincipal) is missing"},
		{"principal text", resourcePolicy, principal(`"ec2.amazonaws.com"`), `principal "ec2.amazonaws.com"`},
		{"principal empty", resourcePolicy, principal(`{}`), "element Principal is empty"},
		{"principal type", resourcePolicy, principal(`{"CanonicalUser":"x"}`), `unknown element "CanonicalUser"`},
		{"principal wildcard", resourcePolicy, principal(`{"AWS":"arn:aws:iam::123456789012:role/*"}`), "a wildcard may not"},
		{"principal service wildcard", resourcePolicy, principal(`{"Service":"*"}`), "a wildcard may not"},
		{"operator", identityPolicy, identity(`"Condition":{"StringMatches":{"aws:SourceArn":"x"}}`), `condition operator "StringMatches" is not evaluated`},
		{"operator's case", identityPolicy, identity(`"Condition":{"stringequals":{"aws:SourceArn":"x"}}`), `"stringequals" is not evaluated`},
		{"binary", identityPolicy, identity(`"Condition":{"BinaryEquals":{"x:y":"QQ=="}}`), `"BinaryEquals" is not evaluated`},
		{"Null IfExists", identityPolicy, identity(`"Condition":{"NullIfExists":{"aws:SourceArn":"true"}}`), `"NullIfExists" is not evaluated`},
		{"set of Null", identityPolicy, identity(`"Condition":{"ForAnyValue:Null":{"aws:SourceArn":"true"}}`), `"ForAnyValue:Null" is not evaluated`},
		{"no condition values", identityPolicy, identity(`"Condition":{"Bool":{"aws:SecureTransport":[]}}`), "the list is empty"},
		{"null condition value", identityPolicy, identity(`"Condition":{"Bool":{"aws:SecureTransport":null}}`), "null is not a string"},
		{"condition no object", identityPolicy, identity(`"Condition":{"Bool":"x"}`), "condition Bool: want a JSON object"},
		{"operator without keys", identityPolicy, identity(`"Condition":{"Bool":{}}`), "condition Bool: it has no condition key"},
		{"Bool value", identityPolicy, identity(`"Condition":{"Bool":{"aws:SecureTransport":"yes"}}`), `"yes" is neither true nor false`},
		{"Null value", identityPolicy, identity(`"Condition":{"Null":{"aws:SourceArn":"yes"}}`), `"yes" is neither true nor false`},
		{"numeric value", identityPolicy, identity(`"Condition":{"NumericLessThan":{"s3:TlsVersion":"1e2"}}`), `"1e2" is not a decimal number`},
		{"date value", identityPolicy, identity(`"Condition":{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}`), `"tomorrow" is neither a date`},
		{"address value", identityPolicy, identity(`"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}}`), `"10.0.0.0/33" is neither`},
		{"ARN value", identityPolicy, identity(`"Condition":{"ArnLike":{"aws:SourceArn":"*"}}`), `"*" is not an ARN`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse(tt.kind, tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("parse(%s) error = %v, want one containing %q", tt.text, err, tt.want)
			}
		})
	}
}

func TestParseReportsAllErrors(t *testing.T) {
	_, err := parse(identityPolicy, `{"Statement":[
		{"Sid":"First","Effect":"yes","Action":"GetObject","Resource":"bucket"},
		{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Is":{"a":"b"}}}]}`)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`statement "First": element Effect`, `action "GetObject"`, `resource "bucket"`, `statement 2: condition operator "Is"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
}
