package iam

import (
	"errors"
	"testing"
)

func TestGranted(t *testing.T) {
	a, _ := declare(trusting(""), one(`[
		{"Sid":"Read","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::cicd-dev-artifacts/*"},
		{"Sid":"All","Effect":"Allow","NotAction":"iam:*","Resource":"*"},
		{"Sid":"Never","Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"}]`), "")
	s := assume(t, a)
	for _, key := range []string{"one", "two"} {
		if err := a.Authorize(s, "s3:GetObject", "arn:aws:s3:::cicd-dev-artifacts/a/"+key); err != nil {
			t.Fatal(err)
		}
	}
	granted, err := a.Granted()
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		sid, action, resource, narrower string
		uses                            int
	}{
		{"Read", "s3:GetObject", "arn:aws:s3:::cicd-dev-artifacts/*", "arn:aws:s3:::cicd-dev-artifacts/a/*", 2},
		{"Read", "s3:PutObject", "arn:aws:s3:::cicd-dev-artifacts/*", "", 0},
		{"All", "*", "*", "s3:GetObject", 2},
	}
	if len(granted) != len(want) {
		t.Fatalf("%d grants, want %d: %+v", len(granted), len(want), granted)
	}
	for i, w := range want {
		g := granted[i]
		if g.Sid != w.sid || g.Action != w.action || g.Resource != w.resource || len(g.Uses) != w.uses || g.Narrower() != w.narrower {
			t.Errorf("grant %d is %+v, narrower %q, want %+v", i, g, g.Narrower(), w)
		}
		if g.Role != roleARN || g.RoleName == "" || g.Component != "Build" {
			t.Errorf("grant %d is of role %q (%s) in %q", i, g.Role, g.RoleName, g.Component)
		}
	}
}

func TestNarrower(t *testing.T) {
	tests := []struct {
		name, action, resource string
		used                   []string
		want                   string
	}{
		{"unused", "s3:Get*", "*", nil, ""},
		{"no wildcard", "s3:GetObject", "arn:b/k", []string{"arn:b/k"}, ""},
		{"no resource to name", "ecr:GetAuthorizationToken", "*", []string{"*"}, ""},
		{"all in use", "s3:GetObject", "arn:b/*", []string{"arn:b/x", "arn:b/y"}, ""},
		{"a name's start is no folder", "s3:GetObject", "arn:b/*", []string{"arn:b/xy", "arn:b/xz"}, ""},
		{"one folder in use", "s3:GetObject", "arn:b/*", []string{"arn:b/f/x", "arn:b/f/y"}, "arn:b/f/*"},
		{"one resource in use", "s3:GetObject", "arn:b/*", []string{"arn:b/x"}, "arn:b/x"},
		{"one starts as another", "s3:GetObject", "arn:b/*", []string{"arn:b/x", "arn:b/x/y"}, ""},
		{"any resource", "s3:GetObject", "*", []string{"arn:b/x", "arn:b/y"}, "arn:b/*"},
		{"action wildcard", "s3:Get?bject", "arn:b/x", []string{"arn:b/x"}, "s3:GetObject"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := Granted{Action: tt.action, Resource: tt.resource}
			for _, resource := range tt.used {
				g.Uses = append(g.Uses, Use{Action: "s3:GetObject", Resource: resource})
			}
			if got := g.Narrower(); got != tt.want {
				t.Errorf("narrower is %q, want %q", got, tt.want)
			}
		})
	}
}

// TestRecheck checks recorded requests against policies that have changed since.
func TestRecheck(t *testing.T) {
	allow := one(`[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]`)
	before, _ := declare(trusting(""), allow, "")
	if err := before.Authorize(assume(t, before), "s3:GetObject", objectARN); err != nil {
		t.Fatal(err)
	}
	elsewhere := `{"StringEquals":{"aws:SourceAccount":"999999999999"}}`
	deny := one(`[{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]`)
	same, _ := declare(trusting(""), allow, "")
	changed, _ := declare(trusting(elsewhere), deny, "")
	for _, use := range before.Uses() {
		if err := same.Recheck(use); err != nil {
			t.Errorf("%s under the same policies: %v", use.Action, err)
		}
		var denied *DeniedError
		if err := changed.Recheck(use); !errors.As(err, &denied) || denied.Action != use.Action {
			t.Errorf("%s under other policies: %v, want it denied", use.Action, err)
		}
	}
}

func TestPlainHTTP(t *testing.T) {
	a, _ := declare(trusting(""), one(`[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]`),
		one(`[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]`))
	s := assume(t, a)
	if err := a.Authorize(s, "s3:GetObject", objectARN); err != nil {
		t.Errorf("with TLS: %v", err)
	}
	s.PlainHTTP = true
	var denied *DeniedError
	if err := a.Authorize(s, "s3:GetObject", objectARN); !errors.As(err, &denied) {
		t.Errorf("without TLS: %v, want it denied", err)
	}
}
