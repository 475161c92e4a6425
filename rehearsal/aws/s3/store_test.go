package s3

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// newStore returns a store with a versioned and an unversioned bucket, its folder, and a session of the declared role.
func newStore(t *testing.T) (*Store, string, iam.Session) {
	t.Helper()
	acct := account.New("123456789012")
	const role = "arn:aws-cn:iam::123456789012:role/build"
	put := func(token, name string, properties map[string]any) {
		acct.Put(account.Resource{Type: token, Name: name, URN: name, ID: name, Properties: properties})
	}
	put(account.Role, "role", map[string]any{
		"arn": role, "name": "build",
		"assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"codebuild.amazonaws.com"}}]}`,
	})
	put(account.RolePolicy, "policy", map[string]any{
		"role":   "build",
		"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`,
	})
	for _, name := range []string{"versioned", "plain", "suspended"} {
		put(account.Bucket, name, map[string]any{"bucket": name, "arn": "arn:aws-cn:s3:::" + name})
	}
	for name, status := range map[string]string{"versioned": "Enabled", "suspended": "Suspended"} {
		put(account.BucketVersioning, name+"-versioning", map[string]any{
			"bucket": name, "versioningConfiguration": map[string]any{"status": status},
		})
	}
	authority := iam.NewAuthority(acct)
	session, err := authority.AssumeRole(role, "codebuild.amazonaws.com", "test", "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	return NewStore(dir, acct, authority), dir, session
}

func get(t *testing.T, s *Store, session iam.Session, bucket, key, version string) string {
	t.Helper()
	body, _, err := s.Get(session, bucket, key, version)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestVersions(t *testing.T) {
	tests := []struct {
		bucket    string
		wantFirst string // what the first version's id reads after the second put, "" when it is gone
		wantCount int
	}{
		{"versioned", "one", 2},
		{"plain", "two", 1},
		{"suspended", "two", 1},
	}
	for _, tt := range tests {
		t.Run(tt.bucket, func(t *testing.T) {
			s, _, session := newStore(t)
			first, err := s.Put(session, tt.bucket, "app/bundle.zip", strings.NewReader("one"))
			if err != nil {
				t.Fatal(err)
			}
			if want := `"f97c5d29941bfb1b2fdab0874906ab82"`; first.ETag != want {
				t.Errorf("ETag = %s, want %s", first.ETag, want)
			}
			if _, err := s.Put(session, tt.bucket, "app/bundle.zip", strings.NewReader("two")); err != nil {
				t.Fatal(err)
			}
			if got := get(t, s, session, tt.bucket, "app/bundle.zip", ""); got != "two" {
				t.Errorf("current = %q, want two", got)
			}
			if got := get(t, s, session, tt.bucket, "app/bundle.zip", first.ID); got != tt.wantFirst {
				t.Errorf("version %s = %q, want %q", first.ID, got, tt.wantFirst)
			}
			if got := s.ObjectCount(tt.bucket); got != tt.wantCount {
				t.Errorf("ObjectCount = %d, want %d", got, tt.wantCount)
			}
			if err := s.EmptyBucket(tt.bucket); err != nil || s.ObjectCount(tt.bucket) != 0 {
				t.Errorf("EmptyBucket: %v, %d objects left", err, s.ObjectCount(tt.bucket))
			}
		})
	}
}

func TestRefused(t *testing.T) {
	s, _, session := newStore(t)
	if _, err := s.Put(session, "versioned", "there", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name                 string
		bucket, key, version string
		want                 error
	}{
		{"undeclared bucket", "other", "there", "", ErrNoSuchBucket},
		{"bucket that is a path", "../versioned", "there", "", ErrNoSuchBucket},
		{"missing key", "versioned", "not-there", "", ErrNoSuchKey},
		{"missing version", "versioned", "there", "0123", ErrNoSuchVersion},
		{"version that is a path", "versioned", "there", "../../x", ErrNoSuchVersion},
		{"empty key", "versioned", "", "", ErrInvalidKey},
		{"long key", "versioned", strings.Repeat("k", 1025), "", ErrInvalidKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, _, err := s.Get(session, tt.bucket, tt.key, tt.version); !errors.Is(err, tt.want) {
				t.Errorf("Get() error = %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := s.Put(session, "other", "k", strings.NewReader("")); !errors.Is(err, ErrNoSuchBucket) {
		t.Errorf("Put() error = %v, want %v", err, ErrNoSuchBucket)
	}
}

func TestKeysStayInTheirBucket(t *testing.T) {
	s, dir, session := newStore(t)
	keys := []string{"../../../escape", "/etc/passwd", "a/../b", "..", ".", "a\x00b", strings.Repeat("é", 512), "a b\n*"}
	for _, key := range keys {
		if _, err := s.Put(session, "plain", key, strings.NewReader(key)); err != nil {
			t.Fatalf("Put(%q): %v", key, err)
		}
	}
	for _, key := range keys {
		if got := get(t, s, session, "plain", key, ""); got != key {
			t.Errorf("Get(%q) = %q", key, got)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "plain" {
		t.Errorf("store folder holds %v (%v), want only the bucket", entries, err)
	}
}

func TestFailedPutLeavesNothing(t *testing.T) {
	s, dir, session := newStore(t)
	if _, err := s.Put(session, "plain", "k", strings.NewReader("whole")); err != nil {
		t.Fatal(err)
	}
	diskFull := errors.New("no space left on device")
	body := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(diskFull))
	if _, err := s.Put(session, "plain", "k", body); !errors.Is(err, diskFull) {
		t.Fatalf("Put() error = %v, want %v", err, diskFull)
	}
	if got := get(t, s, session, "plain", "k", ""); got != "whole" {
		t.Errorf("after a failed put, Get = %q, want the old content", got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "plain", "incoming", "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestConcurrentPutsAllCount(t *testing.T) {
	s, _, session := newStore(t)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if _, err := s.Put(session, "versioned", "k", strings.NewReader(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := s.ObjectCount("versioned"); got != 20 {
		t.Errorf("ObjectCount = %d, want 20", got)
	}
}

func TestAuthorization(t *testing.T) {
	s, _, session := newStore(t)
	if _, err := s.Put(session, "versioned", "in/source", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	s.account.Put(account.Resource{Type: account.RolePolicy, Name: "policy", URN: "policy", ID: "policy", Properties: map[string]any{
		"role": "build",
		"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws-cn:s3:::versioned/in/*"},
			{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws-cn:s3:::versioned/out/*"}]}`,
	}})
	get := func(key, version string) func() error {
		return func() error {
			body, _, err := s.Get(session, "versioned", key, version)
			if err == nil {
				body.Close()
			}
			return err
		}
	}
	put := func(key string) func() error {
		return func() error {
			_, err := s.Put(session, "versioned", key, strings.NewReader("x"))
			return err
		}
	}
	tests := []struct {
		name string
		call func() error
		want string // "" when it is allowed
	}{
		{"read", get("in/source", ""), ""},
		{"read a version", get("in/source", "1"), "s3:GetObjectVersion on resource"},
		{"read elsewhere", get("out/x", ""), "s3:GetObject on resource"},
		{"missing key, without ListBucket", get("in/other", ""), "s3:ListBucket on resource"},
		{"write", put("out/bundle"), ""},
		{"write elsewhere", put("in/source"), "s3:PutObject on resource"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.call()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
	if got := s.ObjectCount("versioned"); got != 2 {
		t.Errorf("ObjectCount = %d, want 2: a refused put stores nothing", got)
	}
}
