package s3

import (
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

const keyARN = "arn:aws-cn:kms:cn-north-1:123456789012:key/"

// encrypted gives a store a bucket "versioned" with the KMS key "own", another key "other", and a role that may do
// with them what the statements say.
func encrypted(t *testing.T, s *Store, bucketKey string, statements ...string) {
	t.Helper()
	put := func(token, name string, properties map[string]any) {
		s.account.Put(account.Resource{Type: token, Name: name, URN: name, ID: name, Properties: properties})
	}
	s.account.SetRegion("eu-central-1")
	for _, id := range []string{"own", "other"} {
		put(account.KMSKey, id, map[string]any{"keyId": id, "arn": keyARN + id})
	}
	put(account.BucketEncryption, "encryption", map[string]any{
		"bucket": "versioned", "rules": []any{map[string]any{"applyServerSideEncryptionByDefault": map[string]any{"sseAlgorithm": "aws:kms", "kmsMasterKeyId": bucketKey}}}})
	statements = append(statements, `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`)
	put(account.RolePolicy, "policy", map[string]any{"role": "build", "policy": `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`})
}

// use is a statement that allows an action on a key, only through S3.
func use(action, key string) string {
	return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + keyARN + key + `","Condition":{"StringEquals":{"kms:ViaService":"s3.eu-central-1.amazonaws.com"}}}`
}

func TestKeys(t *testing.T) {
	const noGenerate, noDecrypt = "is not authorized to perform: kms:GenerateDataKey on resource: " + keyARN, "is not authorized to perform: kms:Decrypt on resource: " + keyARN
	generate, decrypt := use("kms:GenerateDataKey", "own"), use("kms:Decrypt", "own")
	otherGenerate, otherDecrypt := use("kms:GenerateDataKey", "other"), use("kms:Decrypt", "other")
	tests := []struct {
		name, bucketKey, writerKey string
		may                        []string
		wantPut, wantGet           string // parts of the errors, "" for none
	}{
		{"S3's own keys", "", "", nil, "", ""},
		{"the bucket's key", "own", "", []string{generate, decrypt}, "", ""},
		{"the bucket's key by ARN", keyARN + "own", "", []string{generate, decrypt}, "", ""},
		{"the bucket's key, not to write", "own", "", []string{decrypt}, noGenerate + "own", ""},
		{"the bucket's key, not to read", "own", "", []string{generate}, "", noDecrypt + "own"},
		{"the bucket's key, with another's permissions", "own", "", []string{otherGenerate, otherDecrypt}, noGenerate + "own", ""},
		{"the writer's key", "own", "other", []string{otherGenerate, otherDecrypt}, "", ""},
		{"the writer's key by ARN", "", keyARN + "other", []string{otherGenerate, otherDecrypt}, "", ""},
		{"the writer's key, not to read", "own", "other", []string{otherGenerate, decrypt}, "", noDecrypt + "other"},
		{"a key that is not there", "gone", "", []string{generate, decrypt}, "KMS.NotFoundException: key gone is not declared", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _, session := newStore(t)
			encrypted(t, s, tt.bucketKey, tt.may...)
			v, err := s.PutEncrypted(session, "versioned", "k", tt.writerKey, strings.NewReader("x"))
			checkError(t, "put", err, tt.wantPut)
			if err != nil {
				if n := s.ObjectCount("versioned"); n != 0 {
					t.Errorf("%d objects, want none: a refused put stores nothing", n)
				}
				return
			}
			checkError(t, "inspect", s.Inspect(session, "versioned", "k", "s3:GetObject"), tt.wantGet)
			checkError(t, "inspect a version", s.Inspect(session, "versioned", "k", "s3:GetObjectVersion"), tt.wantGet)
			checkError(t, "set access", s.Inspect(session, "versioned", "k", "s3:PutObjectAcl"), "")
			body, _, err := s.Get(session, "versioned", "k", v.ID)
			checkError(t, "get", err, tt.wantGet)
			if err == nil {
				body.Close()
			}
		})
	}
}

// A bucket's new key is for new objects: existing ones keep theirs.
func TestObjectsKeepTheirKey(t *testing.T) {
	s, _, session := newStore(t)
	encrypted(t, s, "own", use("kms:*", "own"))
	if _, err := s.Put(session, "versioned", "k", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	encrypted(t, s, "other", use("kms:*", "other"))
	_, _, err := s.Get(session, "versioned", "k", "")
	checkError(t, "get", err, "kms:Decrypt on resource: "+keyARN+"own")
}

func checkError(t *testing.T, what string, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("%s: error = %v, want %q", what, err, want)
	}
}
