package provider

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"cicd/rehearsal/aws/account"
)

var bucketByName = named(account.Bucket, "bucket", "NoSuchBucket: The specified bucket does not exist: %s")

// storageKinds are a bucket and its settings. Source: S3 User Guide and API Reference.
var storageKinds = map[string]kind{
	account.Bucket: {
		inputs: schema{
			"bucket":       text().rule(checkBucketName).replaces(),
			"forceDestroy": flag().or(false),
		},
		autoname: &autoname{"bucket", 63},
		tagged:   true,
		unique:   []string{"bucket"}, taken: "BucketAlreadyOwnedByYou: Your previous request to create the named bucket succeeded and you already own it: %s",
		id: input("bucket"),
		computed: map[string]output{
			"arn":                      func(c *call) any { return "arn:" + partitionOf(c.region) + ":s3:::" + c.id },
			"bucketDomainName":         func(c *call) any { return c.id + ".s3.amazonaws.com" },
			"bucketRegionalDomainName": func(c *call) any { return c.id + ".s3." + c.region + ".amazonaws.com" },
			"region":                   func(c *call) any { return c.region },
		},
		remove: removeBucket,
	},
	account.BucketPolicy: ofBucket("policy", schema{"policy": document().need()}, kind{
		check:  func(c *call, r *report) { bucketPolicy.checkInput(c, "policy", r) },
		verify: verifyBucketPolicy,
	}),
	account.BucketPublicAccessBlock: ofBucket("public access block", schema{
		"blockPublicAcls":       flag().or(false),
		"blockPublicPolicy":     flag().or(false),
		"ignorePublicAcls":      flag().or(false),
		"restrictPublicBuckets": flag().or(false),
	}, kind{}),
	account.BucketVersioning: ofBucket("versioning", schema{
		"versioningConfiguration": block(schema{
			"status":    text().need().oneOf("Enabled", "Suspended", "Disabled"),
			"mfaDelete": text().oneOf("Enabled", "Disabled"),
		}).need(),
	}, kind{}),
	account.BucketOwnershipControls: ofBucket("ownership controls", schema{
		"rule": block(schema{
			"objectOwnership": text().need().oneOf("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"),
		}).need(),
	}, kind{}),
	account.BucketEncryption: ofBucket("encryption", schema{
		"rules": blocks(schema{
			"bucketKeyEnabled": flag(),
			"applyServerSideEncryptionByDefault": block(schema{
				"sseAlgorithm":   text().need().oneOf("AES256", "aws:kms", "aws:kms:dsse"),
				"kmsMasterKeyId": text().names(keyByName),
			}),
		}).need().length(1, 1),
	}, kind{check: checkEncryption}),
	account.BucketLifecycle: ofBucket("lifecycle configuration", schema{
		"rules": blocks(schema{
			"id":                             text().need().length(1, 255),
			"status":                         text().need().oneOf("Enabled", "Disabled"),
			"filter":                         block(schema{"prefix": text()}),
			"expiration":                     block(schema{"days": number().length(1, 1<<31-1), "expiredObjectDeleteMarker": flag()}),
			"noncurrentVersionExpiration":    block(schema{"noncurrentDays": number().need().length(1, 1<<31-1), "newerNoncurrentVersions": number().length(1, 100)}),
			"abortIncompleteMultipartUpload": block(schema{"daysAfterInitiation": number().need().length(1, 1<<31-1)}),
		}).need().length(1, 1000),
	}, kind{check: checkLifecycle}),
}

// ofBucket completes a kind that is a setting of a bucket. A bucket has at most one of each.
func ofBucket(noun string, inputs schema, k kind) kind {
	inputs["bucket"] = text().need().names(bucketByName).replaces()
	k.inputs = inputs
	k.unique, k.taken = []string{"bucket"}, "the "+noun+" of bucket %s is already set by another resource, which this one would silently overwrite"
	k.id = input("bucket")
	return k
}

// checkBucketName applies the naming rules for general purpose buckets. Source: S3 User Guide, "General purpose
// bucket naming rules".
func checkBucketName(v any) string {
	name, _ := v.(string)
	outer := func(r byte) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' }
	switch _, err := netip.ParseAddr(name); {
	case len(name) < 3 || len(name) > 63:
		return fmt.Sprintf("InvalidBucketName: %q has %d characters, want 3 to 63", name, len(name))
	case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "":
		return fmt.Sprintf("InvalidBucketName: %q may have only lowercase letters, digits, dots and hyphens", name)
	case !outer(name[0]) || !outer(name[len(name)-1]):
		return fmt.Sprintf("InvalidBucketName: %q must begin and end with a letter or digit", name)
	case strings.Contains(name, "..") || err == nil:
		return fmt.Sprintf("InvalidBucketName: %q must not have two adjacent dots or look like an IP address", name)
	case slices.ContainsFunc([]string{"xn--", "sthree-", "amzn-s3-demo-"}, func(p string) bool { return strings.HasPrefix(name, p) }),
		slices.ContainsFunc([]string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}, func(s string) bool { return strings.HasSuffix(name, s) }):
		return fmt.Sprintf("InvalidBucketName: %q has a reserved prefix or suffix", name)
	}
	return ""
}

// removeBucket refuses to delete objects unless the stack allows it.
func removeBucket(s *Server, r account.Resource) error {
	count := s.options.Objects.ObjectCount(r.ID)
	if count > 0 && !values(r.Properties).flag("forceDestroy") {
		return fmt.Errorf("BucketNotEmpty: The bucket you tried to delete is not empty: %s has %d object versions; run an update with forceDestroy first", r.ID, count)
	}
	if err := s.options.Objects.EmptyBucket(r.ID); err != nil {
		return fmt.Errorf("empty bucket %s: %w", r.ID, err)
	}
	return nil
}

// verifyBucketPolicy requires statements about this bucket, and rejects public ones if the bucket blocks them.
func verifyBucketPolicy(c *call, r *report) {
	bucket := "arn:" + partitionOf(c.region) + ":s3:::" + c.in.text("bucket")
	blocked, _ := c.acct.Find(account.BucketPublicAccessBlock, "bucket", c.in.text("bucket"))
	for _, s := range bucketPolicy.statements(c, "policy") {
		for _, resource := range s.Resources {
			if resource != bucket && !strings.HasPrefix(resource, bucket+"/") {
				r.add("policy", "MalformedPolicy: Policy has invalid resource: %s names %s, which is not of %s", s, resource, bucket)
			}
		}
		everybody := s.Principals.Everyone && !s.NotPrincipals
		if s.Allow && everybody && !s.Conditional() && values(blocked.Properties).flag("blockPublicPolicy") {
			r.add("policy", "AccessDenied: %s is public, and public policies are blocked by the BlockPublicPolicy setting", s)
		}
	}
}

// checkEncryption rejects a key where none is used. Source: S3 API Reference, ServerSideEncryptionByDefault.
func checkEncryption(c *call, r *report) {
	for i, rule := range c.in.blocks("rules") {
		standard := rule.block("applyServerSideEncryptionByDefault")
		if standard.has("kmsMasterKeyId") && standard.text("sseAlgorithm") == "AES256" {
			r.add(fmt.Sprintf("rules[%d].applyServerSideEncryptionByDefault.kmsMasterKeyId", i), "InvalidArgument: a KMS key goes with sseAlgorithm aws:kms or aws:kms:dsse, and only with them")
		}
	}
}

// checkLifecycle requires rules that do something and have unique ids.
func checkLifecycle(c *call, r *report) {
	ids := map[string]bool{}
	for i, rule := range c.in.blocks("rules") {
		if rule == nil {
			continue // not known yet
		}
		path := fmt.Sprintf("rules[%d]", i)
		if !rule.has("expiration") && !rule.has("noncurrentVersionExpiration") && !rule.has("abortIncompleteMultipartUpload") {
			r.add(path, "InvalidRequest: At least one action needs to be specified in a rule")
		}
		if e := rule.block("expiration"); e != nil && e.has("days") == e.has("expiredObjectDeleteMarker") {
			r.add(path+".expiration", "MalformedXML: exactly one of days and expiredObjectDeleteMarker must be set")
		}
		if id := rule.text("id"); id != "" && ids[id] {
			r.add(path+".id", "InvalidArgument: Rule ID must be unique. Found same ID for more than one rule: %s", id)
		} else {
			ids[id] = true
		}
	}
}
