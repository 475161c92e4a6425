package iam

import (
	"regexp"
	"strings"
	"testing"
)

// FuzzPolicy checks that parsing and evaluating any text does not panic and gives the same outcome twice.
func FuzzPolicy(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username, 'x'}*","Condition":{"ForAnyValue:StringLikeIfExists":{"aws:SourceArn":["a*",1,true]}}}]}`)
	f.Add(`{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":["123456789012"],"Service":"ec2.amazonaws.com"},"NotAction":["*:*"],"NotResource":"*"}}`)
	f.Add(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"Null":{"aws:SourceArn":"true"},"DateLessThan":{"aws:CurrentTime":"2025-01-31"},"NumericEquals":{"aws:EpochTime":1}}}}`)
	f.Add(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:username":"u"}}}}`)
	f.Add(`{"Statement":[null,1,"x",{},[[]]]}`)
	f.Add("{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::\xff?\"}}")
	f.Fuzz(func(t *testing.T, text string) {
		for _, k := range []Kind{IdentityPolicy, BucketPolicy, TrustPolicy, KeyPolicy, RepositoryPolicy, TopicPolicy} {
			doc, violations := Parse(k, text)
			if violations != nil {
				continue
			}
			r := request{principal: sessionPrincipal(Session{RoleARN: roleARN, Name: "s"}), action: "s3:GetObject", resource: objectARN,
				context: requestContext{"aws:SourceArn": nil, "aws:username": {"u"}, "aws:CurrentTime": {"2025-01-31"}, "aws:EpochTime": {"1"}}}
			first, firstErr := evaluate([]Policy{doc}, r)
			second, secondErr := evaluate([]Policy{doc}, r)
			if first.allowed() != second.allowed() || (firstErr == nil) != (secondErr == nil) {
				t.Errorf("%s: two outcomes of %s", k, text)
			}
		}
	})
}

// FuzzMatch compares the matcher with a regular expression.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{{"", ""}, {"*", "abc"}, {"a?c*", "abcd"}, {"*a*b", "aab"}, {"**?", "x"}, {"\xff?", "\xffx"}, {"é*", "éa"}, {"a.b", "axb"}, {"*\n", "a\n"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		p, err := compile(text, variables{})
		if err != nil {
			t.Fatalf("compile %q: %v", text, err)
		}
		quoted := regexp.QuoteMeta(strings.ToValidUTF8(text, "")) // a regular expression must be valid UTF-8
		want := regexp.MustCompile(`(?s)^` + strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(quoted) + `$`)
		if text == strings.ToValidUTF8(text, "") && p.match(value) != want.MatchString(value) {
			t.Errorf("%q matches %q: %t, the regular expression says otherwise", text, value, p.match(value))
		}
	})
}
