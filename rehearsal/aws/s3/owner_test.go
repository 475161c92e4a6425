package s3

import (
	"strings"
	"testing"
)

// Whoever deploys the stack needs no declared permission, and others need theirs.
func TestOwner(t *testing.T) {
	s, _, session := newStore(t)
	encrypted(t, s, "own", `{"Effect":"Deny","Action":"s3:PutObject","Resource":"*"}`, use("kms:Decrypt", "own"))
	for _, content := range []string{"a", "b"} {
		version, etag, err := s.PlaceObject("versioned", "k", "own", strings.NewReader(content))
		if err != nil || version == "null" || len(etag) != 32 {
			t.Fatalf("place: version %q, ETag %q, %v", version, etag, err)
		}
	}
	if n := s.ObjectCount("versioned"); n != 2 {
		t.Errorf("%d versions, want 2", n)
	}
	body, _, err := s.Get(session, "versioned", "k", "")
	if err != nil {
		t.Fatal(err)
	}
	body.Close()
	if _, _, err := s.PlaceObject("versioned", "j", "other", strings.NewReader("c")); err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Get(session, "versioned", "j", "")
	checkError(t, "get what another key encrypts", err, "kms:Decrypt on resource: "+keyARN+"other")
	_, _, err = s.PlaceObject("gone", "k", "", strings.NewReader(""))
	checkError(t, "place", err, "NoSuchBucket")
	checkError(t, "remove", s.RemoveObject("versioned", "k"), "")
	if n := s.ObjectCount("versioned"); n != 1 {
		t.Errorf("%d versions, want the other object's", n)
	}
}
