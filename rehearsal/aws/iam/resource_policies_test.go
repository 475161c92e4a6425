package iam

import (
	"reflect"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

const (
	keyARN   = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
	topicARN = "arn:aws:sns:eu-west-1:123456789012:approvals"
	accountP = `{"AWS":"arn:aws:iam::123456789012:root"}`
	roleP    = `{"AWS":"` + roleARN + `"}`
	otherP   = `{"AWS":"` + roleARN + `2"}`
)

// declareKey adds a key to the account, with its own policy unless that is "".
func declareKey(acct *account.Account, policy string) {
	acct.Put(account.Resource{URN: "urn:pulumi:dev::cicd::cicd:index:Vault$aws:kms/key:Key::web-key", Type: account.KMSKey, Name: "web-key", ID: "1234abcd",
		Properties: map[string]any{"arn": keyARN, "keyId": "1234abcd", "policy": policy}})
}

// declareTopic adds a topic to the account, with its own policy unless that is "".
func declareTopic(acct *account.Account, policy string) {
	acct.Put(account.Resource{URN: "urn:topic", Type: account.Topic, Name: "web-approvals", ID: topicARN,
		Properties: map[string]any{"arn": topicARN, "policy": policy}})
}

// attach adds a resource that attaches a policy to the resource called holder.
func attach(acct *account.Account, token, property, holder, policy string) {
	acct.Put(account.Resource{URN: "urn:" + token, Type: token, Name: "attached", ID: holder, Properties: map[string]any{property: holder, "policy": policy}})
}

// effect is a statement about every resource or, in a repository's policy, about none.
func effect(effect, principal, action, more string) string {
	return `{"Effect":"` + effect + `","Principal":` + principal + `,"Action":"` + action + `"` + more + `}`
}

// Who may use a key: KMS Developer Guide, "Default key policy", "Key policies in AWS KMS" and "Creating a key policy".
func TestKeyPolicies(t *testing.T) {
	const all = `,"Resource":"*"`
	// "Allows access to the AWS account and enables IAM policies".
	enableIAM := one(`{"Sid":"Enable IAM policies","Effect":"Allow","Principal":` + accountP + `,"Action":"kms:*","Resource":"*"}`)
	// "Allows key users to use the KMS key", beside administrators, as the console writes them.
	users := func(principal string) string {
		return one(`[{"Sid":"Allow access for Key Administrators","Effect":"Allow","Principal":` + otherP + `,"Action":["kms:Create*","kms:Put*"],"Resource":"*"},
			{"Sid":"Allow use of the key","Effect":"Allow","Principal":` + principal + `,"Resource":"*",
				"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"]}]`)
	}
	// "kms:CallerAccount", the policy of the AWS managed key for EBS, here for S3.
	throughS3 := one(effect("Allow", `{"AWS":"*"}`, "kms:*", all+`,"Condition":{"StringEquals":{"kms:CallerAccount":"123456789012","kms:ViaService":"s3.eu-west-1.amazonaws.com"}}`))
	use := one(`{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"` + keyARN + `"}`)
	forbid := one(`{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}`)
	viaS3 := strings.Replace(use, `"Resource"`, `"Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}},"Resource"`, 1)
	const byKey, byRole = "because no resource-based policy allows the kms:Decrypt action", "because no identity-based policy allows the kms:Decrypt action"
	tests := []struct {
		name, key, inline, via string
		want                   string // part of the error, "" for none
	}{
		{"default key policy: IAM allows", "", use, "", ""},
		{"default key policy: IAM does not", "", "", "", byRole},
		{"enables IAM policies: IAM allows", enableIAM, use, "", ""},
		{"enables IAM policies, which gives no role permission", enableIAM, "", "", byRole},
		{"enables IAM policies: IAM denies", enableIAM, forbid, "", "with an explicit deny in an identity-based policy"},
		{"account by its number", strings.Replace(enableIAM, "arn:aws:iam::123456789012:root", "123456789012", 1), use, "", ""},
		{"another account", strings.Replace(enableIAM, "123456789012", "444455556666", 1), use, "", byKey},
		{"account for another action", one(effect("Allow", accountP, "kms:GenerateDataKey", all)), use, "", byKey},
		{"account for another key", one(effect("Allow", accountP, "kms:*", `,"Resource":"`+keyARN+`2"`)), use, "", byKey},
		{"account for this key", one(effect("Allow", accountP, "kms:*", `,"Resource":"`+keyARN+`"`)), use, "", ""},
		{"account denied", one(`[` + effect("Allow", accountP, "kms:*", all) + `,` + effect("Deny", accountP, "kms:Decrypt", all) + `]`), use, "", "with an explicit deny in a resource-based policy"},
		{"without the account IAM is ineffective", users(otherP), use, "", byKey},
		{"without the account IAM still denies", users(roleP), forbid, "", "with an explicit deny in an identity-based policy"},
		{"key user", users(roleP), "", "", ""},
		{"key user's session", users(`{"AWS":"` + sessionARN + `"}`), "", "", ""},
		{"another role is the key user", users(otherP), "", "", byKey},
		{"key user denied", one(`[` + effect("Allow", roleP, "kms:*", all) + `,` + effect("Deny", roleP, "kms:Decrypt", all) + `]`), use, "", "with an explicit deny in a resource-based policy"},
		{"key administrator, who may not use it", one(effect("Allow", roleP, "kms:Put*", all)), "", "", byKey},
		{"all of the account through S3", throughS3, "", "s3", ""},
		{"all of the account through S3, directly", throughS3, "", "", "wants [\"s3.eu-west-1.amazonaws.com\"], but the request does not have it"},
		{"all of the account through S3, from elsewhere", throughS3, "", "ec2", byKey},
		{"all of another account through S3", strings.Replace(throughS3, "123456789012", "111122223333", 1), "", "s3", byKey},
		{"IAM through S3", enableIAM, viaS3, "s3", ""},
		{"IAM through S3, directly", enableIAM, viaS3, "", byRole},
		{"account through S3", one(effect("Allow", accountP, "kms:*", all+`,"Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}`)), use, "s3", ""},
		{"account through S3, directly", one(effect("Allow", accountP, "kms:*", all+`,"Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}`)), use, "", byKey},
		{"made by a service", one(effect("Allow", roleP, "kms:*", all+`,"Condition":{"Bool":{"aws:ViaAWSService":"true"}}`)), "", "s3", ""},
		{"unknown key", one(effect("Allow", roleP, "kms:*", all+`,"Condition":{"StringEquals":{"kms:EncryptionContext:aws:s3:arn":"x"}}`)), use, "", `condition key "kms:EncryptionContext:aws:s3:arn" cannot be rehearsed`},
		{"unknown key for the account", one(effect("Allow", accountP, "kms:*", all+`,"Condition":{"StringEquals":{"kms:KeySpec":"SYMMETRIC_DEFAULT"}}`)), use, "", `key policy "web-key": statement 1: condition key "kms:KeySpec"`},
		{"no resource", one(effect("Allow", roleP, "kms:*", "")), use, "", `aws:kms/key:Key "web-key", property policy, as key policy: AWS accepts this, but it cannot be rehearsed: statement 1: element Resource`},
		{"element that key policies lack", one(`{"Effect":"Allow","NotPrincipal":` + otherP + `,"Action":"kms:*","Resource":"*"}`), use, "", `unknown element "NotPrincipal"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, acct := declare(trusting(""), tt.inline, "")
			declareKey(acct, tt.key)
			s := assume(t, a)
			s.Via = tt.via
			checkError(t, a.Authorize(s, "kms:Decrypt", keyARN), tt.want)
		})
	}
}

func TestKeyPolicyDeniedSaysWhatTheKeyNeeds(t *testing.T) {
	a, acct := declare(trusting(""), one(`{"Sid":"Use","Effect":"Allow","Action":"kms:*","Resource":"*"}`), "")
	declareKey(acct, one(effect("Allow", otherP, "kms:*", `,"Resource":"*"`)))
	const want = "User: " + sessionARN + " is not authorized to perform: kms:Decrypt on resource: " + keyARN +
		" because no resource-based policy allows the kms:Decrypt action" +
		`; the key policy of "web-key" in component Vault needs the statement {"Effect":"Allow","Principal":` + roleP + `,"Action":"kms:Decrypt","Resource":"*"}` +
		` (statement "Use" of "build-policy" allows it, which has no effect on a key whose policy does not delegate kms:Decrypt to the account;` +
		` statement 1 of "web-key" allows the action, but not to this principal)`
	if err := a.Authorize(assume(t, a), "kms:Decrypt", keyARN); err == nil || err.Error() != want {
		t.Errorf("error:\n%v\nwant:\n%s", err, want)
	}
}

// A policy's ineffective Allow must not count as used.
func TestKeyPolicyUses(t *testing.T) {
	a, acct := declare(trusting(""), one(`{"Sid":"Use","Effect":"Allow","Action":"kms:*","Resource":"*"}`), "")
	s := assume(t, a)
	s.Via = "s3"
	byKey := []Grant{{Policy: "urn:pulumi:dev::cicd::cicd:index:Vault$aws:kms/key:Key::web-key"}}
	grants := map[string][]Grant{
		one(effect("Allow", roleP, "kms:*", `,"Resource":"*"`)):    byKey,
		one(effect("Allow", `"*"`, "kms:*", `,"Resource":"*"`)):    byKey,
		one(effect("Allow", accountP, "kms:*", `,"Resource":"*"`)): {{Policy: "urn:inline", Sid: "Use"}},
	}
	for policy, want := range grants {
		declareKey(acct, policy)
		if err := a.Authorize(s, "kms:Decrypt", keyARN); err != nil {
			t.Fatal(err)
		}
		got := a.Uses()[1]
		if use := (Use{Role: roleARN, Action: "kms:Decrypt", Resource: keyARN, Via: "s3", Grants: want}); !reflect.DeepEqual(got, use) {
			t.Errorf("use = %+v, want %+v", got, use)
		}
	}
	declareKey(acct, one(effect("Allow", roleP, "kms:*", `,"Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}`)))
	checkError(t, a.Recheck(a.Uses()[1]), "")
	s.Via = ""
	checkError(t, a.Authorize(s, "kms:Decrypt", keyARN), "no resource-based policy")
	if n := len(a.Uses()); n != 3 {
		t.Errorf("%d uses, want 3: a call through S3 is another one", n)
	}
}

// ECR User Guide, "Private repository policy examples" and "Repository policies vs IAM policies".
func TestRepositoryPolicies(t *testing.T) {
	pushPull := one(`{"Sid":"AllowPushPull","Effect":"Allow","Principal":{"AWS":["` + roleARN + `","arn:aws:iam::123456789012:user/push-pull-user-2"]},
		"Action":["ecr:BatchGetImage","ecr:BatchCheckLayerAvailability","ecr:CompleteLayerUpload","ecr:GetDownloadUrlForLayer","ecr:InitiateLayerUpload","ecr:PutImage","ecr:UploadLayerPart"]}`)
	anotherAccount := one(`{"Sid":"AllowCrossAccountPush","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":["ecr:PutImage"]}`)
	denyPull := one(`{"Sid":"DenyPull","Effect":"Deny","Principal":"*","Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}`)
	byAddress := one(`{"Sid":"IPAllow","Effect":"Deny","Principal":"*","Action":"ecr:*","Condition":{"NotIpAddress":{"aws:SourceIp":"54.240.143.0/24"}}}`)
	ecr := one(`{"Effect":"Allow","Action":"ecr:*","Resource":"*"}`)
	none := func(action string) string { return "because no identity-based policy allows the " + action + " action" }
	const pull, push = "ecr:BatchGetImage", "ecr:PutImage"
	tests := []struct{ name, policy, inline, action, resource, want string }{
		{"allow one or more users", pushPull, "", push, repoARN, ""},
		{"for what it lists", pushPull, "", "ecr:DeleteRepository", repoARN, none("ecr:DeleteRepository")},
		{"for its repository", pushPull, "", push, repoARN + "/x", none(push)},
		{"a token is about no repository", strings.Replace(pushPull, "ecr:PutImage", "ecr:*", 1), "", "ecr:GetAuthorizationToken", "*", none("ecr:GetAuthorizationToken")},
		{"allow another account", anotherAccount, "", push, repoARN, none(push)},
		{"the own account, which has to decide itself", strings.Replace(anotherAccount, "444455556666", "123456789012", 1), "", push, repoARN, none(push)},
		{"IAM alone is enough", anotherAccount, ecr, push, repoARN, ""},
		{"deny all: pull", denyPull, ecr, pull, repoARN, "with an explicit deny in a resource-based policy"},
		{"deny all: push", denyPull, ecr, push, repoARN, ""},
		{"allowed here, denied by IAM", pushPull, strings.Replace(ecr, "Allow", "Deny", 1), push, repoARN, "with an explicit deny in an identity-based policy"},
		{"restricted to addresses, which a rehearsal cannot know", byAddress, ecr, push, repoARN, `repository policy "attached": statement "IPAllow": condition key "aws:SourceIp"`},
		{"a resource", strings.Replace(pushPull, `"Sid"`, `"Resource":"*","Sid"`, 1), ecr, push, repoARN, `as repository policy: statement "AllowPushPull": Has prohibited field Resource`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, acct := declare(trusting(""), tt.inline, "")
			attach(acct, account.RepositoryPolicy, "repository", "cicd-dev", tt.policy)
			checkError(t, a.Authorize(assume(t, a), tt.action, tt.resource), tt.want)
		})
	}
}

// SNS Developer Guide, "Example cases for Amazon SNS access control", with this account's role or AWS's in the examples.
func TestTopicPolicies(t *testing.T) {
	statement := func(principal, condition string) string {
		return one(`{"Sid":"grant-1234-publish","Effect":"Allow","Principal":` + principal + `,"Action":["SNS:Publish"],"Resource":"` + topicARN + `"` + condition + `}`)
	}
	fromOrganization := statement(`{"AWS":"*"}`, `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"myOrgId"}}`)
	anyResource := statement(`{"Service":"someservice.amazonaws.com"}`, `,"Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012"}}`)
	anyAlarm := statement(`{"AWS":"*"}`, `,"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-2:111122223333:alarm:*"}}`)
	publish := one(`{"Effect":"Allow","Action":"sns:Publish","Resource":"` + topicARN + `"}`)
	const none = "because no identity-based policy allows the sns:Publish action"
	tests := []struct{ name, topic, attached, inline, want string }{
		{"default policy: by IAM", "", "", publish, ""},
		{"default policy: gives a role nothing", "", "", "", `statement "__default_statement_ID" of "web-approvals" allows the action, but its condition StringEquals AWS:SourceOwner wants ["123456789012"]`},
		{"own policy: the role", statement(roleP, ""), "", "", ""},
		{"own policy: another role", statement(otherP, ""), "", "", none},
		{"attached policy: the role", "", statement(roleP, ""), "", ""},
		{"attached policy replaces the default one", "", statement(otherP, ""), "", `statement "grant-1234-publish" of "attached" allows the action, but not to this principal)`},
		{"grant an account access: leaves it to the account", "", statement(`{"AWS":"123456789012"}`, ""), "", none},
		{"and the account allows", "", statement(`{"AWS":"123456789012"}`, ""), publish, ""},
		{"another account", "", statement(`{"AWS":"111122223333"}`, ""), "", none},
		{"a service's publishing is no role's", "", anyResource, "", none},
		{"any alarm's is none either", "", anyAlarm, "", "wants [\"arn:aws:cloudwatch:us-east-2:111122223333:alarm:*\"], but the request does not have it"},
		{"an organization, which a rehearsal cannot know", "", fromOrganization, publish, `condition key "aws:PrincipalOrgID" cannot be rehearsed`},
		{"only from an endpoint, which it cannot know", "", strings.Replace(statement(`"*"`, `,"Condition":{"StringNotEquals":{"aws:sourceVpce":"vpce-1ab2c34d"}}`), "Allow", "Deny", 1), publish, `condition key "aws:sourceVpce" cannot be rehearsed`},
		{"denied", strings.Replace(statement(`"*"`, ""), "Allow", "Deny", 1), "", publish, "with an explicit deny in a resource-based policy"},
		{"two policies", statement(roleP, ""), statement(roleP, ""), publish, `both aws:sns/topic:Topic "web-approvals" and aws:sns/topicPolicy:TopicPolicy "attached" declare its policy`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, acct := declare(trusting(""), tt.inline, "")
			declareTopic(acct, tt.topic)
			if tt.attached != "" {
				attach(acct, account.TopicPolicy, "arn", topicARN, tt.attached)
			}
			checkError(t, a.Authorize(assume(t, a), "sns:Publish", topicARN), tt.want)
		})
	}
}

func TestWhoseKeyPolicy(t *testing.T) {
	use := one(effect("Allow", roleP, "kms:*", `,"Resource":"*"`))
	noUse := one(effect("Allow", otherP, "kms:*", `,"Resource":"*"`))
	tests := []struct{ name, own, holder, attached, want string }{
		{"attached", "", "1234abcd", use, ""},
		{"attached, which replaces the default one", "", "1234abcd", noUse, `the key policy of "attached" needs the statement`},
		{"attached to another key", noUse, "5678efgh", use, `the key policy of "web-key" in component Vault needs the statement`},
		{"two policies", use, "1234abcd", use, "but a resource has only one: remove one of them"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, acct := declare(trusting(""), one(`{"Effect":"Allow","Action":"kms:*","Resource":"*"}`), "")
			declareKey(acct, tt.own)
			attach(acct, account.KMSKeyPolicy, "keyId", tt.holder, tt.attached)
			checkError(t, a.Authorize(assume(t, a), "kms:Decrypt", keyARN), tt.want)
		})
	}
	a, _ := declare(trusting(""), one(`{"Effect":"Allow","Action":"*","Resource":"*"}`), "")
	for _, arn := range []string{keyARN, topicARN} {
		checkError(t, a.Authorize(assume(t, a), "kms:Decrypt", arn), "with this ARN whose policy could be evaluated: declare it")
	}
}
