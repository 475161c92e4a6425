package deployscripts_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/api"
	"cicd/rehearsal/aws/ecr"
	"cicd/rehearsal/aws/iam"
)

// mute is the variable with the beginning of the AWS calls that are never answered.
const mute = "MUTE"

// granted are the actions of the registry that builds and hosts need.
var granted = []string{
	"ecr:GetAuthorizationToken", "ecr:DescribeImages", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
	"ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage",
}

// startAWS starts the stand-ins for ECR and AWS's API, with a role for builds and hooks, and puts the built-in aws command
// into the host's home. It returns the environment for it.
func (h *host) startAWS() []string {
	h.t.Helper()
	h.account, h.services = account.New("123456789012"), newServices()
	h.account.SetRegion("eu-central-1")
	h.declare(account.Repository, "team/app", map[string]any{"name": "team/app", "imageTagMutability": "IMMUTABLE",
		"arn": "arn:aws:ecr:eu-central-1:123456789012:repository/team/app"})
	const role = "arn:aws:iam::123456789012:role/release"
	h.declare(account.Role, "release", map[string]any{"name": "release", "arn": role, "assumeRolePolicy": `{"Version": "2012-10-17",
		"Statement": {"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}}`})
	h.grant(granted)
	authority := iam.NewAuthority(h.account)
	session, err := authority.AssumeRole(role, "codebuild.amazonaws.com", "test", "")
	if err != nil {
		h.t.Fatal(err)
	}

	images := ecr.New(ecr.Config{Account: h.account, Authorize: authority.Authorize, Dir: h.t.TempDir()})
	registry := h.serve(h.sometimes(images))
	h.registry = strings.TrimPrefix(registry, "http://")
	var credentials api.ContainerCredentials
	self, err := os.Executable()
	if err == nil {
		err = errors.Join(os.Mkdir(filepath.Dir(h.builtInAWS()), 0o755), os.Symlink(self, h.builtInAWS()))
	}
	if err != nil {
		h.t.Fatal(err)
	}
	// Version 1 of the AWS CLI ignores AWS_REGION.
	write(h.t, filepath.Join(h.home, "aws"), `#!/bin/bash
[[ -z "${`+mute+`:-}" || "$*" != "$`+mute+`"* ]] || { touch "${0%/*}/muted"; exec sleep 3600; }
[[ "$1" != s3api ]] || exec "${0%/*}/s3" "$@"
unset AWS_REGION
exec `+h.builtInAWS()+` "$@"
`)
	return []string{
		"AWS_CONTAINER_CREDENTIALS_FULL_URI=" + h.serve(&credentials) + credentials.Add(session),
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL=" + h.serve(h.services.before(api.New(api.Config{Account: h.account, Sessions: authority.SessionFor,
			Authorize: authority.Authorize, Registry: images, RegistryURL: registry}))),
	}
}

// builtInAWS is this test binary, see TestMain.
func (h *host) builtInAWS() string { return filepath.Join(h.home, "builtin", "aws") }

func (h *host) declare(token, name string, properties map[string]any) {
	h.account.Put(account.Resource{Type: token, Name: name, URN: token + "::" + name, ID: name, Properties: properties})
}

// grant sets what builds and hosts may do.
func (h *host) grant(actions []string) {
	h.t.Helper()
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17",
		"Statement": []any{map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"}}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.declare(account.RolePolicy, "release", map[string]any{"name": "release", "role": "release", "policy": string(policy)})
}

// sometimes refuses the first h.unavailable requests.
func (h *host) sometimes(registry http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		refuse := h.unavailable > 0
		if refuse {
			h.unavailable--
		}
		h.mu.Unlock()
		if refuse {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		registry.ServeHTTP(w, r)
	})
}

// serve serves a handler until the test ends.
func (h *host) serve(handler http.Handler) (url string) {
	server := httptest.NewServer(handler)
	h.t.Cleanup(server.Close)
	return server.URL
}
