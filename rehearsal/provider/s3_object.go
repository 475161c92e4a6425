package provider

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"cicd/rehearsal/aws/account"
)

// objectKinds are the objects that a stack puts into a bucket. Sources: S3 API Reference, PutObject and HeadObject; the
// provider's file, whose functions are named below.
var objectKinds = map[string]kind{
	account.BucketObject: {
		source: "later:s3/object.go",
		inputs: schema{
			"bucket":               text().need().names(bucketByName).replaces().at(80),
			"key":                  text().need().rule(checkObjectKey).replaces().at(161),
			"content":              text().at(120),
			"contentBase64":        text().at(125),
			"contentType":          text().length(1, 1024).keeps("application/octet-stream").at(142), // the default of AWS's SDK for Go
			"serverSideEncryption": text().oneOf("AES256", "aws:kms", "aws:kms:dsse").keeps(nil).at(218),
			"kmsKeyId":             text().arn("kms").names(keyByName).keeps(nil).at(167),
			"forceDestroy":         flag().or(false).at(156),
		},
		tagged: true,
		check:  checkObject,
		verify: checkObject, // with what an update keeps, which the provider sends along
		unique: []string{"bucket", "key"}, taken: "another resource already puts the object %s, which this one would silently overwrite",
		id:    input("key"),
		apply: putObject,
		computed: map[string]output{
			"arn": func(c *call) any {
				return fmt.Sprintf("arn:%s:s3:::%s/%s", partitionOf(c.region), c.in.text("bucket"), cleanKey(c.in.text("key")))
			},
			"serverSideEncryption": func(c *call) any { return c.objectEncryption().algorithm },
			"kmsKeyId":             objectKey,
			"storageClass":         constant("STANDARD"),
			"etag":                 func(c *call) any { return c.applied["etag"] },
			"versionId":            func(c *call) any { return c.applied["versionId"] },
		},
		// resourceObjectCustomizeDiff: a preview knows the old ETag still
		renews: func(c *call, name string) bool { return name == "versionId" && contentChanges(c.old, c.in) },
		remove: func(s *Server, r account.Resource) error {
			return s.options.Objects.RemoveObject(r.String("bucket"), cleanKey(r.String("key")))
		},
	},
}

// checkObjectKey applies S3's limit. Source: S3 User Guide, "Naming Amazon S3 objects".
func checkObjectKey(v any) string {
	if key, _ := v.(string); cleanKey(key) == "" || len(cleanKey(key)) > 1024 {
		return fmt.Sprintf("KeyTooLongError: an object's key has 1 to 1024 bytes, got %d", len(cleanKey(key)))
	}
	return ""
}

var slashes = regexp.MustCompile(`/+`)

// cleanKey returns the key that the provider uses for one that a program gives (sdkv1CompatibleCleanKey).
func cleanKey(key string) string {
	return slashes.ReplaceAllString(strings.TrimLeft(strings.TrimPrefix(key, "./"), "/"), "/")
}

// objectTags is how many tags an object can have, default tags included. Source: S3 User Guide, "Categorizing your
// objects using tags".
const objectTags = 10

func checkObject(c *call, r *report) {
	if len(c.in.block("tagsAll")) > objectTags {
		r.add("tags", "BadRequest: Object tags cannot be greater than %d, got %d with the provider's default tags", objectTags, len(c.in.block("tagsAll")))
	}
	if c.in.has("content") && c.in.has("contentBase64") {
		r.add("content", `"content": conflicts with content_base64`)
	}
	if c.in.text("kmsKeyId") != "" && c.in.text("serverSideEncryption") == "AES256" {
		r.add("kmsKeyId", "InvalidArgument: Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
	}
}

// putObject stores the object, unless only what is not part of a version changes (resourceObjectUpdate).
func putObject(c *call) (values, error) {
	if c.old != nil && !contentChanges(c.old, c.in) {
		return values{"versionId": c.old["versionId"], "etag": c.old["etag"]}, nil
	}
	content := c.in.text("content")
	if content == "" { // resourceObjectUpload
		decoded, err := base64.StdEncoding.DecodeString(c.in.text("contentBase64"))
		if err != nil {
			return nil, err
		}
		content = string(decoded)
	}
	bucket := c.in.text("bucket")
	version, etag, err := c.server.options.Objects.PlaceObject(bucket, cleanKey(c.in.text("key")), c.objectEncryption().keyID, strings.NewReader(content))
	if _, ok := c.acct.Find(account.BucketVersioning, "bucket", bucket); !ok {
		version = "" // S3 tells no version in a bucket whose versioning was never set
	}
	return values{"versionId": version, "etag": etag}, err
}

// contentChanges reports what makes a new version of an object (hasObjectContentChanges).
func contentChanges(before, after values) bool {
	for _, name := range []string{"content", "contentBase64", "contentType", "kmsKeyId", "serverSideEncryption"} {
		if after.pending(name) || before.text(name) != after.text(name) {
			return true
		}
	}
	return false
}

func objectKey(c *call) any {
	if key := c.objectEncryption().keyARN; key != "" {
		return key
	}
	return nil
}

// encryption is how S3 encrypts an object: with a KMS key, or with its own keys.
type encryption struct{ algorithm, keyID, keyARN string }

// objectEncryption returns how S3 encrypts the object: as the request says, else as the bucket does, else with S3's own
// keys. Source: S3 User Guide, "Setting default server-side encryption behavior for Amazon S3 buckets".
func (c *call) objectEncryption() encryption {
	algorithm, key := c.in.text("serverSideEncryption"), c.in.text("kmsKeyId")
	if algorithm == "" && key == "" {
		bucket, _ := c.acct.Find(account.BucketEncryption, "bucket", c.in.text("bucket"))
		for _, rule := range values(bucket.Properties).blocks("rules") {
			standard := rule.block("applyServerSideEncryptionByDefault")
			algorithm, key = standard.text("sseAlgorithm"), standard.text("kmsMasterKeyId")
		}
	}
	if key == "" && !strings.HasPrefix(algorithm, "aws:kms") {
		return encryption{algorithm: cmp.Or(algorithm, "AES256")}
	}
	algorithm = cmp.Or(algorithm, "aws:kms")
	for _, property := range []string{"arn", "keyId"} {
		if declared, ok := c.acct.Find(account.KMSKey, property, key); ok {
			return encryption{algorithm, declared.String("keyId"), declared.String("arn")}
		}
	}
	return encryption{algorithm: algorithm, keyARN: c.arn("kms", "alias/aws/s3")} // AWS's own, whose id a rehearsal does not have
}
