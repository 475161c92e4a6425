package api

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdks3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// bucket is a bucket of the stack's, with a client of the fixture's session.
type bucket struct {
	*fixture
	t      *testing.T
	client *sdks3.Client
}

const (
	bucketName = "cicd-dev-artifacts"
	objectKey  = "_stack/settings ü+%/a.env"
)

// newBucket makes the bucket. The session may do what the statements say.
func newBucket(t *testing.T, statements string) bucket {
	f := newFixture(t)
	put(f.account, account.Bucket, "artifacts", map[string]any{"bucket": bucketName, "arn": "arn:aws:s3:::" + bucketName})
	f.grant(statements)
	return bucket{f, t, sdks3.NewFromConfig(f.config(nil))}
}

// store stores the object, and returns the id of its version.
func (b bucket) store(content string) string {
	b.t.Helper()
	v, err := b.objects.Put(b.session, bucketName, objectKey, strings.NewReader(content))
	if err != nil {
		b.t.Fatal(err)
	}
	return v.ID
}

// get gets the object, with a changed request unless change is nil.
func (b bucket) get(change func(*sdks3.GetObjectInput)) (string, *sdks3.GetObjectOutput, error) {
	in := &sdks3.GetObjectInput{Bucket: aws.String(bucketName), Key: aws.String(objectKey)}
	if change != nil {
		change(in)
	}
	out, err := b.client.GetObject(b.t.Context(), in)
	if err != nil {
		return "", nil, err
	}
	defer out.Body.Close()
	content, err := io.ReadAll(out.Body)
	return string(content), out, err
}

func TestGetObject(t *testing.T) {
	b := newBucket(t, `{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}`)
	b.store("STACK=dev\n")
	_, _, err := b.get(nil)
	wantRefusal(t, err, "AccessDenied", "User: "+b.session.ARN()+" is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::"+bucketName+"/"+objectKey)
	b.grant(`{"Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":"arn:aws:s3:::` + bucketName + `/_stack/*"}`)
	content, out, err := b.get(nil)
	if err != nil {
		t.Fatal(err)
	}
	if content != "STACK=dev\n" || *out.ContentLength != 10 || *out.ETag != `"5bbffceb9529c1dd936ad0f4ba73e0a4"` || time.Since(*out.LastModified) > time.Minute ||
		out.VersionId != nil || out.ServerSideEncryption != "AES256" {
		t.Errorf("got %q, %+v", content, out)
	}
}

func TestGetObjectVersion(t *testing.T) {
	b := newBucket(t, `{"Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":"*"}`)
	put(b.account, account.BucketVersioning, "artifacts", map[string]any{"bucket": bucketName, "versioningConfiguration": map[string]any{"status": "Enabled"}})
	first, second := b.store("one"), b.store("two")
	content, out, err := b.get(nil)
	if err != nil || content != "two" || *out.VersionId != second {
		t.Errorf("got %q, %+v, %v", content, out, err)
	}
	version := func(id string) func(*sdks3.GetObjectInput) {
		return func(in *sdks3.GetObjectInput) { in.VersionId = aws.String(id) }
	}
	_, _, err = b.get(version(first))
	wantRefusal(t, err, "AccessDenied", "s3:GetObjectVersion")
	b.grant(everything)
	if content, _, err = b.get(version(first)); err != nil || content != "one" {
		t.Errorf("got %q, %v", content, err)
	}
	_, _, err = b.get(version("0123456789abcdef0123456789abcdef"))
	wantRefusal(t, err, "NoSuchVersion", "The specified version does not exist.")
}

func TestGetObjectRefused(t *testing.T) {
	b, ctx := newBucket(t, everything), t.Context()
	_, _, err := b.get(func(in *sdks3.GetObjectInput) { in.Key = aws.String("none") })
	wantRefusal(t, err, "NoSuchKey", "The specified key does not exist.")
	_, _, err = b.get(func(in *sdks3.GetObjectInput) { in.Bucket = aws.String("nowhere") })
	wantRefusal(t, err, "NoSuchBucket", "The specified bucket does not exist")
	for name, call := range map[string]func() error{
		"GET /" + bucketName + "?list-type=2": func() error {
			_, err := b.client.ListObjectsV2(ctx, &sdks3.ListObjectsV2Input{Bucket: aws.String(bucketName)})
			return err
		},
		"PUT /" + bucketName + "/x": func() error {
			_, err := b.client.PutObject(ctx, &sdks3.PutObjectInput{Bucket: aws.String(bucketName), Key: aws.String("x"), Body: strings.NewReader("x")})
			return err
		},
		"GET /" + bucketName + "/_stack/": func() error {
			_, _, err := b.get(func(in *sdks3.GetObjectInput) { in.Range = aws.String("bytes=0-1") })
			return err
		},
		"GET /" + bucketName + "/x?tagging": func() error {
			_, err := b.client.GetObjectTagging(ctx, &sdks3.GetObjectTaggingInput{Bucket: aws.String(bucketName), Key: aws.String("x")})
			return err
		},
	} {
		wantRefusal(t, call(), "NotImplemented", "the rehearsal does not serve s3: "+name)
	}
}

// S3 names what is wrong with a signature in its own way.
func TestGetObjectUnauthenticated(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*aws.Config, *iam.Credentials)
		dead   bool
		want   string
	}{
		"wrong secret":  {func(_ *aws.Config, c *iam.Credentials) { c.SecretAccessKey += "x" }, false, "SignatureDoesNotMatch"},
		"unknown key":   {func(_ *aws.Config, c *iam.Credentials) { c.AccessKeyID = "ASIAUNKNOWN" }, false, "InvalidAccessKeyId"},
		"expired":       {nil, true, "ExpiredToken"},
		"wrong region":  {func(c *aws.Config, _ *iam.Credentials) { c.Region = "us-east-1" }, false, "SignatureDoesNotMatch"},
		"other's token": {func(_ *aws.Config, c *iam.Credentials) { c.SessionToken += "x" }, false, "InvalidAccessKeyId"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.live = !tt.dead
			_, err := sdks3.NewFromConfig(f.config(tt.change)).GetObject(context.Background(), &sdks3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
			wantRefusal(t, err, tt.want, "")
		})
	}
}

// An object under a key of the stack needs the permission for it, and says which key it is.
func TestGetEncryptedObject(t *testing.T) {
	f, ctx := newFixture(t), context.Background()
	const id = "1234abcd-12ab-34cd-56ef-1234567890ab"
	put(f.account, account.Bucket, "b", map[string]any{"bucket": "b", "arn": "arn:aws:s3:::b"})
	put(f.account, account.KMSKey, id, map[string]any{"keyId": id, "arn": "arn:aws:kms:eu-central-1:123456789012:key/" + id})
	f.grant(everything)
	if _, err := f.objects.PutEncrypted(f.session, "b", "k", id, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	client := sdks3.NewFromConfig(f.config(nil))
	out, err := client.GetObject(ctx, &sdks3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	if err != nil || out.ServerSideEncryption != "aws:kms" || aws.ToString(out.SSEKMSKeyId) != "arn:aws:kms:eu-central-1:123456789012:key/"+id {
		t.Errorf("got %+v, %v", out, err)
	}
	f.grant(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`)
	_, err = client.GetObject(ctx, &sdks3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	wantRefusal(t, err, "AccessDenied", "kms:Decrypt")
}
