package provider

import (
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"cicd/rehearsal/aws/account"
)

// policyText unescapes a policy that is written for use within JSON, for use as an input.
func policyText(escaped string) string { return strings.ReplaceAll(escaped, `\"`, `"`) }

const ownRoot = "arn:aws:iam::123456789012:root"

// Each case gives a key, repository or topic a different policy from its example's.
func TestResourcePolicies(t *testing.T) {
	key := func(principal, action string) string { return policyText(keyPolicyOf(principal, action)) }
	topic := func(principal, action string) string { return policyText(topicPolicyOf(principal, action)) }
	repository := func(principal, action string) string {
		return strings.Replace(key(principal, action), `,"Resource":"*"`, "", 1)
	}
	const build, nobody = "arn:aws:iam::123456789012:role/build", "arn:aws:iam::123456789012:role/nobody"
	tests := []struct{ name, example, policy, want string }{
		{"key: role that is there", "cmk-policy", key(build, "kms:*"), ""},
		{"key: role that is not", "cmk-policy", key(nobody, "kms:*"), "one or more invalid principals: statement \"Enable IAM policies\" names " + nobody},
		{"key: role of another account", "cmk-policy", key("arn:aws:iam::444455556666:role/nobody", "kms:*"), ""},
		{"key: nobody may change the policy", "cmk-policy", key(ownRoot, "kms:Decrypt"), "will not allow you to update the key policy in the future"},
		{"key: a service alone may", "cmk-policy", strings.Replace(key("s3.amazonaws.com", "kms:*"), `"AWS"`, `"Service"`, 1), "will not allow you to update"},
		{"key: everybody may", "cmk-policy", strings.Replace(key("*", "kms:*"), `{"AWS":"*"}`, `"*"`, 1), ""},
		{"key: policy by wildcard", "cmk-policy", key(ownRoot, "kms:Put*"), ""},
		{"key: policy denied", "cmk-policy", strings.Replace(key(ownRoot, "kms:*"), "Allow", "Deny", 1), "will not allow you to update"},
		{"key: another service's action", "cmk-policy", key(ownRoot, "s3:*"), "an action of another service"},
		{"key: no resource", "cmk-policy", repository(ownRoot, "kms:*"), "AWS accepts this, but it cannot be rehearsed: statement \"Enable IAM policies\": element Resource is missing"},
		{"key: exceptions", "cmk-policy", strings.Replace(key(ownRoot, "kms:*"), `"Action"`, `"NotAction"`, 1), "unknown element \"NotAction\""},
		{"key: size", "cmk-policy", key(ownRoot, "kms:"+strings.Repeat("x", 32768)), "LimitExceeded"},
		{"key: its own policy", "cmk", key(nobody, "kms:Decrypt"), "will not allow you to update"},
		{"key: its own policy's role", "cmk", key(nobody, "kms:*"), "one or more invalid principals"},
		{"key: its own policy is in order", "cmk", key(ownRoot, "kms:*"), ""},
		{"repository: role that is there", "repository-policy", repository(build, "ecr:BatchGetImage"), ""},
		{"repository: role that is not", "repository-policy", repository(nobody, "ecr:BatchGetImage"), "'Invalid repository policy provided': statement \"Enable IAM policies\" names " + nobody},
		{"repository: a resource", "repository-policy", key(build, "ecr:BatchGetImage"), "'Invalid repository policy provided': statement \"Enable IAM policies\": Has prohibited field Resource"},
		{"repository: another service's action", "repository-policy", repository(build, "s3:GetObject"), "an action of another service"},
		{"repository: no principal", "repository-policy", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ecr:*"}}`, "Missing required field Principal"},
		{"topic: role that is there", "topic-policy", topic(build, "sns:Publish"), ""},
		{"topic: role that is not", "topic-policy", topic(nobody, "sns:Publish"), "PrincipalNotFound: statement \"Enable IAM policies\" names " + nobody},
		{"topic: actions that are no topic's", "topic-policy", topic(ownRoot, "sns:*"), "Policy statement action out of service scope!"},
		{"topic: another topic", "topic-policy", strings.Replace(topic(ownRoot, "sns:Publish"), ":approvals", ":other", 1), "want one Resource, the topic: arn:aws:sns:us-east-1:123456789012:approvals"},
		{"topic: every topic", "topic-policy", key(ownRoot, "sns:Publish"), "want one Resource, the topic"},
		{"topic: its own policy", "topic", key(ownRoot, "sns:Publish"), "want one Resource, the topic"},
		{"topic: its own policy's action", "topic", topic(ownRoot, "sqs:SendMessage"), "out of service scope!"},
		{"topic: its own policy is in order", "topic", topic(ownRoot, "sns:Publish"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.declareUntil(tt.example)
			e := exampleNamed(t, tt.example)
			_, err := w.declare(e.token, e.name, with(t, w.inputs(e), "policy", tt.policy))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestBypassOfPolicyLockout(t *testing.T) {
	w := newWorld(t)
	inputs := values{"policy": policyText(keyPolicyOf("arn:aws:iam::444455556666:root", "kms:Decrypt")), "bypassPolicyLockoutSafetyCheck": true}
	if _, err := w.declare(account.KMSKey, "locked", inputs); err != nil {
		t.Error(err)
	}
}

// A resource with a policy in its own property and another from a separate resource would keep the later one.
func TestOnePolicyForOneResource(t *testing.T) {
	tests := []struct{ resource, attached, policy string }{
		{"cmk", "cmk-policy", policyText(keyPolicyOf(ownRoot, "kms:*"))},
		{"topic", "topic-policy", policyText(topicPolicyOf(ownRoot, "sns:Publish"))},
	}
	for _, tt := range tests {
		t.Run(tt.resource, func(t *testing.T) {
			w := newWorld(t)
			w.declareUntil("")
			attached := exampleNamed(t, tt.attached)
			e := exampleNamed(t, tt.resource)
			news, err := toWire(with(t, w.inputs(e), "policy", tt.policy))
			if err != nil {
				t.Fatal(err)
			}
			update := &pulumirpc.UpdateRequest{Urn: urnOf(e.token, e.name), Id: w.ids[e.name], News: news}
			if _, err := w.Update(w.ctx, update); err == nil || !strings.Contains(err.Error(), `"`+tt.attached+`", which this one would silently overwrite`) {
				t.Errorf("policy of its own beside an attached one: error = %v", err)
			}
			w.options.Account.Delete(urnOf(attached.token, tt.attached), w.ids[tt.attached])
			if _, err := w.Update(w.ctx, update); err != nil {
				t.Fatal(err)
			}
			if _, err := w.declare(attached.token, tt.attached, w.inputs(attached)); err == nil || !strings.Contains(err.Error(), `"`+tt.resource+`" already has a policy in its property policy`) {
				t.Errorf("attached policy beside one of its own: error = %v", err)
			}
		})
	}
}

func TestOneAttachedPolicy(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("")
	for _, name := range []string{"cmk-policy", "topic-policy", "repository-policy"} {
		e := exampleNamed(t, name)
		if _, err := w.declare(e.token, "second", w.inputs(e)); err == nil || !strings.Contains(err.Error(), "already has a policy from another resource") {
			t.Errorf("a second %s: error = %v", name, err)
		}
	}
}

func TestKeyByIDOrARN(t *testing.T) {
	for _, path := range []string{"keyId", "arn"} {
		w := newWorld(t)
		w.declareUntil("encryption")
		key, _ := w.options.Account.Find(account.KMSKey, "id", w.ids["cmk"])
		e := exampleNamed(t, "encryption")
		inputs := with(t, w.inputs(e), "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId", key.String(path))
		if _, err := w.declare(e.token, e.name, inputs); err != nil {
			t.Errorf("by %s: %v", path, err)
		}
	}
}
