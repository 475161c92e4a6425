package iam

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// requestContext holds the condition keys of a request, as AWS would set them. A key without values is one that AWS
// does not send with this request; a missing key is one that a rehearsal cannot know, and looking it up is an error.
// Sources of the keys: IAM User Guide, "AWS global condition context keys".
type requestContext map[string][]string

// sessionContext returns the keys of a request signed with a role session's credentials.
func sessionContext(p principal, action, region string, issued, now time.Time) requestContext {
	c := commonContext(region, now)
	c["aws:PrincipalArn"] = []string{p.role} // of the role, not of the session
	c["aws:PrincipalAccount"] = []string{p.account}
	c["aws:PrincipalType"] = []string{"AssumedRole"}
	c["aws:PrincipalIsAWSService"] = []string{"false"}
	c["aws:TokenIssueTime"] = []string{issued.UTC().Format(time.RFC3339)}
	// A call with a service role is the role's own (for others: IAM User Guide, "Forward access sessions").
	// aws:CalledVia is not set: not every service that forwards a session is on AWS's list of those that set it; from
	// memory, S3 is not.
	c["aws:ViaAWSService"] = []string{strconv.FormatBool(p.via != "")}
	c["aws:username"] = nil  // only for IAM users
	c["aws:SourceArn"] = nil // only for calls by a service principal
	c["aws:SourceAccount"] = nil
	switch service, _, _ := strings.Cut(strings.ToLower(action), ":"); service {
	case "s3":
		// The oldest that AWS endpoints accept, so that a policy that requires a newer one fails here too.
		c["s3:TlsVersion"] = []string{"1.2"}
	case "kms": // KMS Developer Guide, "AWS KMS condition keys"
		c["kms:CallerAccount"] = []string{p.account}
		c["kms:ViaService"] = nil
		if p.via != "" {
			c["kms:ViaService"] = []string{p.via + "." + region + ".amazonaws.com"}
		}
	case "ec2": // Service Authorization Reference, "Condition keys for Amazon EC2"
		c["ec2:Region"] = []string{region}
	case "ssm":
		// Systems Manager User Guide, "Using policy conditions to control access to Parameter Store API operations";
		// each belongs to one action, which sends it as one of its Keys.
		c["ssm:Overwrite"], c["ssm:Recursive"] = nil, nil
	case "secretsmanager":
		// Service Authorization Reference, "Condition keys for AWS Secrets Manager", those of GetSecretValue.
		c["secretsmanager:SecretId"], c["secretsmanager:VersionId"], c["secretsmanager:VersionStage"] = nil, nil, nil
	case "sns":
		// Services send it with their own calls, as they do aws:SourceAccount, which replaces it (SNS Developer
		// Guide, "Example cases for Amazon SNS access control", "aws:SourceAccount versus aws:SourceOwner"). That a
		// role's own call lacks it is from memory; in any case, the guides grant sns:Publish to roles.
		c["aws:SourceOwner"] = nil
	}
	return c
}

// serviceContext returns the keys of sts:AssumeRole by an AWS service on behalf of sourceARN; "" for a service that
// names no resource, as EC2 for instance profiles.
func serviceContext(region, sourceARN string, now time.Time) requestContext {
	c := commonContext(region, now)
	c["aws:SourceArn"] = nil
	c["aws:SourceAccount"] = nil
	if sourceARN != "" {
		c["aws:SourceArn"] = []string{sourceARN}
		if account := arnOf(sourceARN).AccountID; account != "" {
			c["aws:SourceAccount"] = []string{account}
		}
	}
	return c
}

// The condition keys of an encryption context: one for each of its names, and one that lists them (KMS Developer Guide,
// "AWS KMS condition keys").
const (
	encryptionContext     = "kms:EncryptionContext:"
	encryptionContextKeys = "kms:EncryptionContextKeys"
)

// EncryptionContext returns the condition keys of a KMS call with this encryption context, for Session.Keys.
func EncryptionContext(pairs map[string]string) map[string][]string {
	keys := map[string][]string{encryptionContextKeys: slices.Sorted(maps.Keys(pairs))}
	for name, value := range pairs {
		keys[encryptionContext+name] = []string{value}
	}
	return keys
}

// ResourceTags returns the condition keys of a resource's tags, for Session.Keys. Services have them under the prefix aws,
// and some under their own as well (IAM User Guide, "Controlling access to AWS resources using tags").
func ResourceTags(tags map[string]string, prefixes ...string) map[string][]string {
	keys := map[string][]string{}
	for _, prefix := range prefixes {
		keys[prefix+resourceTag] = nil // the tags that the resource lacks
		for name, value := range tags {
			keys[prefix+resourceTag+name] = []string{value}
		}
	}
	return keys
}

// resourceTag is in the condition key of every tag.
const resourceTag = ":ResourceTag/"

// commonContext returns the keys that every request has.
func commonContext(region string, now time.Time) requestContext {
	return requestContext{
		// Clients in AWS use TLS for every endpoint. In a rehearsal the same clients use plain HTTP over loopback,
		// which is not a property of the stack.
		"aws:SecureTransport": {"true"},
		"aws:RequestedRegion": {region},
		"aws:CurrentTime":     {now.UTC().Format(time.RFC3339)},
		"aws:EpochTime":       {strconv.FormatInt(now.Unix(), 10)},
	}
}

// lookup returns a key's values, ignoring the key's case.
func (c requestContext) lookup(key string) ([]string, error) {
	for name, values := range c {
		if strings.EqualFold(name, key) {
			return values, nil
		}
	}
	// An encryption context is known as a whole or not at all.
	_, known := c[encryptionContextKeys]
	if prefix := len(encryptionContext); known && len(key) > prefix && strings.EqualFold(key[:prefix], encryptionContext) {
		return nil, nil
	}
	// So are a resource's tags.
	if prefix, _, isTag := strings.Cut(key, "/"); isTag {
		if _, known := c[prefix+"/"]; known {
			return nil, nil
		}
	}
	return nil, fmt.Errorf("condition key %q cannot be rehearsed for this request; the rehearsal knows %s",
		key, strings.Join(slices.Sorted(maps.Keys(c)), ", "))
}

// variables resolves policy variables (IAM User Guide, "IAM policy elements: Variables and tags").
type variables struct {
	enabled bool // only policies of version 2012-10-17 have them
	context requestContext
}

// errNoValue says that a policy variable has no value in a request: "There is no equal or like value" (IAM User Guide,
// "Policy variables with no value").
var errNoValue = errors.New("has no value in this request, and no default")

// resolve returns the value for the text between ${ and }. Its error is errNoValue if the request does not have the
// key.
func (v variables) resolve(text string) (string, error) {
	if text == "*" || text == "?" || text == "$" {
		return text, nil
	}
	key, fallback, hasFallback := strings.Cut(text, ", '")
	values, err := v.context.lookup(key)
	switch {
	case err != nil:
		return "", fmt.Errorf("policy variable ${%s}: %w", text, err)
	case len(values) == 1:
		return values[0], nil
	case len(values) == 0 && hasFallback && strings.HasSuffix(fallback, "'"):
		return strings.TrimSuffix(fallback, "'"), nil
	case len(values) == 0:
		return "", fmt.Errorf("policy variable ${%s} %w", text, errNoValue)
	}
	// "You can't use a multivalued condition key as a variable" (same page, "Using variables in policies").
	return "", fmt.Errorf("policy variable ${%s} has %d values in this request", text, len(values))
}
