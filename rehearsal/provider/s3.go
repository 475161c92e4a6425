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
		source: "s3/bucket.go",
		inputs: schema{
			"bucket":       text().rule(checkBucketName).keeps(nil).replaces().at(90),
			"forceDestroy": flag().or(false).at(153),
		},
		autoname: &autoname{"bucket", 63},
		tagged:   true,
		unique:   []string{"bucket"}, taken: "BucketAlreadyOwnedByYou: Your previous request to create the named bucket succeeded and you already own it: %s",
		id: input("bucket"),
		computed: map[string]output{
			"arn":                      func(c *call) any { return "arn:" + partitionOf(c.region) + ":s3:::" + c.id },
			"bucketDomainName":         func(c *call) any { return c.id + ".s3." + dnsSuffix(c.region) },
			"bucketRegionalDomainName": func(c *call) any { return c.id + ".s3." + c.region + "." + dnsSuffix(c.region) },
			"region":                   func(c *call) any { return c.region },
		},
		remove: removeBucket,
	},
	account.BucketPolicy: ofBucket("policy", 37, schema{"policy": policyDocument().need().at(42)}, kind{
		source: "s3/bucket_policy.go",
		check:  func(c *call, r *report) { bucketPolicy.checkInput(c, "policy", r) },
		verify: verifyBucketPolicy,
	}),
	account.BucketPublicAccessBlock: ofBucket("public access block", 45, schema{
		"blockPublicAcls":       flag().or(false).at(35),
		"blockPublicPolicy":     flag().or(false).at(40),
		"ignorePublicAcls":      flag().or(false).at(50),
		"restrictPublicBuckets": flag().or(false).at(55),
	}, kind{source: "s3/bucket_public_access_block.go"}),
	account.BucketVersioning: ofBucket("versioning", 41, schema{
		"versioningConfiguration": block(schema{
			"status":    text().need().oneOf("Enabled", "Suspended", "Disabled").at(69),
			"mfaDelete": text().oneOf("Enabled", "Disabled").keeps(nil).at(63),
		}).need().at(57),
	}, kind{source: "s3/bucket_versioning.go", verify: verifyVersioning}),
	account.BucketOwnershipControls: ofBucket("ownership controls", 38, schema{
		"rule": block(schema{
			"objectOwnership": text().need().oneOf("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter").at(51),
		}).need().at(44),
	}, kind{source: "s3/bucket_ownership_controls.go"}),
	account.BucketEncryption: ofBucket("encryption", 37, schema{
		"rules": set(block(schema{
			"bucketKeyEnabled": flag().at(72),
			"applyServerSideEncryptionByDefault": block(schema{
				"sseAlgorithm":   text().need().oneOf("AES256", "aws:kms", "aws:kms:dsse").at(64),
				"kmsMasterKeyId": text().names(keyByName).at(60),
			}).at(54),
		})).need().length(1, 1).at(49),
	}, kind{source: "s3/bucket_server_side_encryption_configuration.go", check: checkEncryption}),
	account.BucketLifecycle: ofBucket("lifecycle configuration", 69, schema{
		"rules": blocks(schema{
			"id":     text().need().length(1, 255).at(107),
			"status": text().need().oneOf("Enabled", "Disabled").at(121),
			"filter": block(schema{"prefix": text().keeps(nil).at(194)}).at(173),
			"expiration": block(schema{
				"days":                      number().length(1, 1<<31-1).keeps(nil).at(153),
				"expiredObjectDeleteMarker": flag().keeps(nil).at(160),
			}).at(142),
			"noncurrentVersionExpiration": block(schema{
				"noncurrentDays":          number().need().length(1, 1<<31-1).at(280),
				"newerNoncurrentVersions": number().length(1, 100).keeps(nil).at(270),
			}).at(263),
			"abortIncompleteMultipartUpload": block(schema{
				"daysAfterInitiation": number().need().length(1, 1<<31-1).at(136),
			}).at(129),
		}).need().length(1, 1000).at(100),
	}, kind{source: "later:s3/bucket_lifecycle_configuration.go", check: checkLifecycle}),
}

// ofBucket completes a kind that is a setting of a bucket. A bucket has at most one of each.
// line is where the source has the bucket.
func ofBucket(noun string, line int, inputs schema, k kind) kind {
	inputs["bucket"] = text().need().names(bucketByName).replaces().at(line)
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
	bucketPolicy.verifyRoles(c, "policy", "MalformedPolicy: Invalid principal in policy", r)
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

// verifyVersioning rejects what S3 cannot undo. Source: terraform-provider-aws, s3/bucket_versioning.go, CustomizeDiff.
func verifyVersioning(c *call, r *report) {
	before, after := c.old.block("versioningConfiguration").text("status"), c.in.block("versioningConfiguration").text("status")
	if after == "Disabled" && (before == "Enabled" || before == "Suspended") {
		r.add("versioningConfiguration.status", "versioning_configuration.status cannot be updated from '%s' to '%s'", before, after)
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
