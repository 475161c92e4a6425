package provider

import (
	"io"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/s3"
)

// stored returns a world with a bucket of the complete stack, whose objects are really stored, and a role that may read
// them.
func stored(t *testing.T, until string) (*world, *s3.Store, iam.Session) {
	t.Helper()
	w := newWorld(t)
	authority := iam.NewAuthority(w.options.Account)
	store := s3.NewStore(t.TempDir(), w.options.Account, authority)
	w.options.Objects = store
	w.declareUntil(until)
	allow := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject*","kms:Decrypt"],"Resource":"*"}}`
	if _, err := w.declare(account.RolePolicy, "read", values{"role": "build", "policy": allow}); err != nil {
		t.Fatal(err)
	}
	session, err := authority.AssumeRole("arn:aws:iam::123456789012:role/build", "codebuild.amazonaws.com", "test", "arn:aws:codebuild:us-east-1:123456789012:project/web")
	if err != nil {
		t.Fatal(err)
	}
	return w, store, session
}

// updateObject gives the object of the complete stack other inputs.
func (w *world) updateObject(inputs values, preview bool) (values, error) {
	w.t.Helper()
	e := exampleNamed(w.t, "object")
	recorded, _ := w.options.Account.Find(e.token, "id", w.ids[e.name])
	checked, err := w.check(e.token, e.name, inputs)
	if err != nil {
		return nil, err
	}
	olds, _ := toWire(recorded.Properties)
	news, _ := toWire(checked)
	response, err := w.Update(w.ctx, &pulumirpc.UpdateRequest{Id: w.ids[e.name], Urn: urnOf(e.token, e.name), Olds: olds, News: news, Preview: preview})
	if err != nil {
		return nil, err
	}
	return fromWire(response.Properties), nil
}

func TestObjectIsStored(t *testing.T) {
	w, store, session := stored(t, "lifecycle")
	read := func() string {
		t.Helper()
		body, _, err := store.Get(session, "web-artifacts", "_stack/settings.env", "")
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		text, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if got := read(); got != "STACK=dev\n" {
		t.Errorf("the object has %q", got)
	}
	e := exampleNamed(t, "object")
	before, _ := w.options.Account.Find(e.token, "id", w.ids["object"])
	tagged, err := w.updateObject(with(t, w.inputs(e), "tags", map[string]any{"Team": "web"}), false)
	if err != nil || tagged["versionId"] != before.Properties["versionId"] || store.ObjectCount("web-artifacts") != 1 {
		t.Errorf("other tags: %v, version %v and %d versions, want %v alone", err, tagged["versionId"], store.ObjectCount("web-artifacts"), before.Properties["versionId"])
	}
	changed := with(t, w.inputs(e), "content", "STACK=prod\n")
	preview, err := w.updateObject(changed, true)
	if err != nil || preview["versionId"] != (unknown{}) || preview["etag"] != before.Properties["etag"] {
		t.Errorf("preview of other content: %v, version %v, ETag %v; want the version unknown", err, preview["versionId"], preview["etag"])
	}
	if got := read(); got != "STACK=dev\n" {
		t.Errorf("after a preview the object has %q", got)
	}
	out, err := w.updateObject(changed, false)
	if err != nil || out["versionId"] == before.Properties["versionId"] || store.ObjectCount("web-artifacts") != 2 || read() != "STACK=prod\n" {
		t.Errorf("other content: %v, version %v, %d versions, content %q", err, out["versionId"], store.ObjectCount("web-artifacts"), read())
	}
	if _, err := w.Delete(w.ctx, &pulumirpc.DeleteRequest{Urn: urnOf(e.token, e.name), Id: w.ids["object"]}); err != nil || store.ObjectCount("web-artifacts") != 0 {
		t.Errorf("delete: %v, %d versions are left", err, store.ObjectCount("web-artifacts"))
	}
}

// Content may also be given in base64, for what is no text. What is no base64 is only found when it is uploaded.
func TestObjectFromBase64(t *testing.T) {
	w, store, session := stored(t, "lifecycle")
	e := exampleNamed(t, "object")
	inputs := with(t, with(t, w.inputs(e), "content", nil), "contentBase64", "AP8K")
	if _, err := w.declare(e.token, "bytes", with(t, inputs, "key", "_stack/bytes")); err != nil {
		t.Fatal(err)
	}
	body, _, err := store.Get(session, "web-artifacts", "_stack/bytes", "")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, err := io.ReadAll(body); err != nil || string(got) != "\x00\xff\n" {
		t.Errorf("the object has %q (%v)", got, err)
	}
	before, _ := w.options.Account.Find(e.token, "id", w.ids["object"])
	preview, err := w.updateObject(inputs, true)
	if err != nil || preview["versionId"] != (unknown{}) {
		t.Errorf("preview of other content: %v, version %v, want it unknown", err, preview["versionId"])
	}
	if _, err := w.updateObject(with(t, inputs, "contentBase64", "no base64"), false); err == nil || !strings.Contains(err.Error(), "illegal base64 data") {
		t.Errorf("error = %v, want that of the decoder", err)
	}
	if after, _ := w.options.Account.Find(e.token, "id", w.ids["object"]); after.Properties["versionId"] != before.Properties["versionId"] {
		t.Error("a preview, or content that is no base64, was stored")
	}
}

// An object keeps the encryption that it got, which the provider sends along with a change.
func TestObjectKeepsItsEncryption(t *testing.T) {
	w, _, _ := stored(t, "lifecycle")
	changed := with(t, w.inputs(exampleNamed(t, "object")), "serverSideEncryption", "AES256")
	if _, err := w.updateObject(changed, false); err == nil || !strings.Contains(err.Error(), "kmsKeyId: InvalidArgument") {
		t.Errorf("error = %v, want InvalidArgument for the KMS key of before", err)
	}
}

// Two objects can have one key, in two buckets.
func TestObjectsOfTwoBuckets(t *testing.T) {
	w, store, _ := stored(t, "lifecycle")
	if _, err := w.declare(account.Bucket, "second", values{"bucket": "second"}); err != nil {
		t.Fatal(err)
	}
	e := exampleNamed(t, "object")
	if _, err := w.declare(e.token, "copy", with(t, w.inputs(e), "bucket", "second")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Delete(w.ctx, &pulumirpc.DeleteRequest{Urn: urnOf(e.token, "copy"), Id: w.ids["copy"]}); err != nil {
		t.Fatal(err)
	}
	if first, second := store.ObjectCount("web-artifacts"), store.ObjectCount("second"); first != 1 || second != 0 {
		t.Errorf("deleting one of the two left %d and %d, want 1 and 0", first, second)
	}
}

// The outputs are those of HeadObject: an MD5 without quotes, no version in a bucket that was never versioned.
func TestOutputsOfObjects(t *testing.T) {
	const md5 = "5bbffceb9529c1dd936ad0f4ba73e0a4" // of the content
	for _, tt := range []struct {
		name, until, encryption string
		versioned               bool
	}{
		{"bare bucket", "block", "AES256", false},
		{"versioned bucket", "ownership", "AES256", true},
		{"encrypted bucket", "object", "aws:kms", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, _, _ := stored(t, tt.until)
			e := exampleNamed(t, "object")
			out, err := w.declare(e.token, e.name, with(t, w.inputs(e), "key", "./_stack//settings.env"))
			if err != nil {
				t.Fatal(err)
			}
			if out["serverSideEncryption"] != tt.encryption || (out.text("versionId") != "") != tt.versioned || out.has("kmsKeyId") != (tt.encryption == "aws:kms") {
				t.Errorf("outputs = %v", out)
			}
			if out["arn"] != "arn:aws:s3:::web-artifacts/_stack/settings.env" || out["etag"] != md5 || w.ids["object"] != "./_stack//settings.env" {
				t.Errorf("arn %v, ETag %v, id %s", out["arn"], out["etag"], w.ids["object"])
			}
		})
	}
}
