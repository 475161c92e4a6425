package provider

import (
	"regexp"
	"slices"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

var topicByARN = named(account.Topic, "arn", "NotFound: Topic does not exist: %s")

// topicPolicy follows the SNS Developer Guide, "Amazon SNS API permissions: Actions and resources reference", which
// lists all actions that a topic's policy may have; hashicorp/terraform issue 12740 shows the error for others.
var topicPolicy = policyKind{kind: iam.TopicPolicy, limit: 30 << 10, fault: "InvalidParameter: Invalid parameter: Policy Error",
	actions: regexp.MustCompile(`(?i)^sns:(AddPermission|DeleteTopic|GetDataProtectionPolicy|GetTopicAttributes|ListSubscriptionsByTopic|` +
		`ListTagsForResource|Publish|PutDataProtectionPolicy|RemovePermission|SetTopicAttributes|Subscribe|Receive)$`),
	foreign: "Policy statement action out of service scope!"} // Receive is only in the default policy

// topicKinds are SNS's types, for standard topics (not FIFO) without a KMS key. Nothing subscribes to them here.
// Source: SNS API Reference, CreateTopic and SetTopicAttributes.
var topicKinds = map[string]kind{
	account.Topic: {
		source: "sns/topic.go",
		inputs: schema{
			"name":        text().match(`[A-Za-z0-9_-]{1,256}`).keeps(nil).replaces().at(148),
			"displayName": text().length(0, 100).at(89),
			"policy":      policyDocument().keeps(nil).at(166),
		},
		autoname: &autoname{"name", 80}, // pulumi-aws, provider/resources.go, aws_sns_topic
		tagged:   true,
		check:    func(c *call, r *report) { topicPolicy.checkInput(c, "policy", r) },
		verify: func(c *call, r *report) {
			c.verifyTopicPolicy(topicARN(c), r)
			if other, ok := c.acct.Find(account.TopicPolicy, "arn", topicARN(c)); ok && c.in.has("policy") {
				r.add("policy", "the topic already has a policy from %s %q, which this one would silently overwrite: keep one of the two", account.TopicPolicy, other.Name)
			}
		},
		unique: []string{"name"}, taken: "a topic named %s already exists, and CreateTopic would silently return it for this resource too",
		id: topicARN,
		computed: map[string]output{
			"arn":   func(c *call) any { return c.id },
			"owner": ownAccount,
		},
	},
	account.TopicPolicy: {
		source: "sns/topic_policy.go",
		inputs: schema{
			"arn":    text().need().names(topicByARN).replaces().at(37),
			"policy": policyDocument().need().at(47),
		},
		check: func(c *call, r *report) { topicPolicy.checkInput(c, "policy", r) },
		verify: func(c *call, r *report) {
			c.verifyTopicPolicy(c.in.text("arn"), r)
			if topic, ok := c.acct.Find(account.Topic, "arn", c.in.text("arn")); ok && topic.String("policy") != "" {
				r.add("policy", "topic %q already has a policy in its property policy, which this one would silently overwrite: keep one of the two", topic.Name)
			}
		},
		unique: []string{"arn"}, taken: "topic %s already has a policy from another resource, which this one would silently overwrite",
		id:       input("arn"),
		computed: map[string]output{"owner": ownAccount},
	},
}

func topicARN(c *call) string { return c.arn("sns", c.in.text("name")) }

// verifyTopicPolicy requires statements about this topic only: "The value must match the ARN of the policy's topic".
func (c *call) verifyTopicPolicy(topic string, r *report) {
	topicPolicy.verifyRoles(c, "policy", "InvalidParameter: Invalid parameter: Policy Error: PrincipalNotFound", r) // the error from memory
	for _, s := range topicPolicy.statements(c, "policy") {
		if s.NotResources || !slices.Equal(s.Resources, []string{topic}) {
			r.add("policy", "%s: %s is about %q, want one Resource, the topic: %s", topicPolicy.fault, s, s.Resources, topic)
		}
	}
}
