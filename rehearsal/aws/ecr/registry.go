// Package ecr is Amazon ECR on this machine: a real registry for docker push and pull, behind ECR's token login. It
// has only the repositories that the stack declares, evaluates each call against IAM, and keeps tags immutable if
// declared so. F-numbers are the failures in docs/failures.md.
//
// The registry protocol is go-containerregistry's pkg/registry. In front of it are ECR's rules, and the uploads:
// pkg/registry would hold every layer in memory until it is complete.
//
// Not simulated: lifecycle policies, image scanning, encryption, replication, and ECR's quotas.
package ecr

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// Config configures a Registry. All fields except Now are required.
type Config struct {
	// Account declares the repositories.
	Account *account.Account
	// Authorize decides whether a session may perform an action on a repository; it is [iam.Authority.Authorize].
	Authorize func(s iam.Session, action string, resources ...string) error
	// Dir is an existing folder for layers and uploads, which only the registry uses.
	Dir string
	// Now is the clock by which login tokens expire; nil means time.Now.
	Now func() time.Time
}

// Registry is the private registry of one account in one region. It is an http.Handler for Docker's registry
// protocol, to be served at the root of its own host.
type Registry struct {
	config Config
	tokens tokens

	mu       sync.Mutex
	contents map[string]*repository // by repository name, created at the first request
}

// New returns an empty registry.
func New(config Config) *Registry {
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Registry{config: config, tokens: tokens{now: config.Now}, contents: map[string]*repository{}}
}

// operation is one kind of request: the IAM actions that ECR evaluates for it, and its handler.
type operation struct {
	actions []string
	serve   func(c *repository, w http.ResponseWriter, r *http.Request, reference string) error
}

// operations follow the ECR API reference, which says for each action what docker does when the ECR proxy calls it
// ("When an image is pushed, the InitiateLayerUpload API is called once per image layer ..."), and agree with the ECR
// user guide's "IAM permissions for pushing an image".
//
// Two of them require more than this machine's daemon needs, so that the result does not depend on the daemon.
// BatchGetImage for a push: containerd and BuildKit look for the manifest before they push it. GetDownloadUrlForLayer
// for a pull: a client gets the layers after the manifest, but a daemon shared by build and hosts already has them.
var operations = map[string]operation{
	"HEAD blobs":          {[]string{"ecr:BatchCheckLayerAvailability"}, (*repository).serveBlob},
	"GET blobs":           {[]string{"ecr:GetDownloadUrlForLayer"}, (*repository).serveBlob},
	"POST blobs/uploads":  {[]string{"ecr:InitiateLayerUpload"}, (*repository).startUpload},
	"PATCH blobs/uploads": {[]string{"ecr:UploadLayerPart"}, (*repository).continueUpload},
	"PUT blobs/uploads":   {[]string{"ecr:CompleteLayerUpload"}, (*repository).completeUpload},
	"HEAD manifests":      {[]string{"ecr:BatchGetImage"}, (*repository).serveManifest},
	"GET manifests":       {[]string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}, (*repository).serveManifest},
	"PUT manifests":       {[]string{"ecr:PutImage", "ecr:BatchGetImage"}, (*repository).putManifest},
}

// requestPath splits a path into repository name, kind, and reference (tag, digest, upload id or nothing).
var requestPath = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs|blobs/uploads)/([^/]*)$`)

// ServeHTTP handles one request of Docker's registry protocol.
func (g *Registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	if err := g.serve(w, r); err != nil {
		writeError(w, r, err)
	}
}

func (g *Registry) serve(w http.ResponseWriter, r *http.Request) error {
	session, err := g.tokens.authenticate(r)
	if err != nil {
		return err
	}
	if r.URL.Path == "/v2/" {
		return nil // the version check, with which docker login tests its credentials
	}
	path := requestPath.FindStringSubmatch(r.URL.Path)
	if path == nil {
		return errUnsupported(r)
	}
	name, kind, reference := path[1], path[2], path[3]
	op, ok := operations[r.Method+" "+kind]
	if !ok {
		return errUnsupported(r)
	}
	arn, err := g.RepositoryARN(name)
	if err != nil {
		return err
	}
	for _, action := range op.actions {
		if err := g.config.Authorize(session, action, arn); err != nil {
			return errDenied(err)
		}
	}
	c, err := g.repository(name)
	if err != nil {
		return err
	}
	return op.serve(c, w, r, reference)
}

// RepositoryARN returns the ARN of a declared repository, else ECR's RepositoryNotFoundException.
func (g *Registry) RepositoryARN(name string) (string, error) {
	declared, err := g.declared(name)
	return declared.String("arn"), err
}

func (g *Registry) declared(name string) (account.Resource, error) {
	r, ok := g.config.Account.Find(account.Repository, "name", name)
	if !ok {
		return r, errRepositoryNotFound(name, g.config.Account.ID())
	}
	return r, nil
}

// repository returns the contents of a declared repository, initially empty.
func (g *Registry) repository(name string) (*repository, error) {
	if _, err := g.declared(name); err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if c, ok := g.contents[name]; ok {
		return c, nil
	}
	c, err := newRepository(g, name)
	if err != nil {
		return nil, fmt.Errorf("repository %q: %w", name, err)
	}
	g.contents[name] = c
	return c, nil
}

// DeleteRepository removes a repository's images and layers. The caller decides whether a repository with images may
// be deleted (forceDelete). Deleting one without any pushes is not an error.
func (g *Registry) DeleteRepository(name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.contents, name)
	if err := os.RemoveAll(g.folder(name)); err != nil {
		return fmt.Errorf("repository %q: layers: %w", name, err)
	}
	return nil
}

// folder keeps "a/b" out of "a", so that deleting one leaves the other alone.
func (g *Registry) folder(name string) string {
	return filepath.Join(g.config.Dir, url.PathEscape(name))
}
