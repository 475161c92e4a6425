package ecr

import (
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// fixture is a served registry with the repositories web (immutable), web/cache and loose (mutable).
type fixture struct {
	*Registry
	account  *account.Account
	dir      string
	url      string // http://127.0.0.1:PORT
	host     string // 127.0.0.1:PORT
	password string

	mu      sync.Mutex
	now     time.Time
	actions map[string]bool
	denied  string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{account: account.New("123456789012"), dir: t.TempDir(), now: time.Now(), actions: map[string]bool{}}
	f.declare("web", "IMMUTABLE")
	f.declare("web/cache", "MUTABLE")
	f.declare("loose", "MUTABLE")
	f.Registry = New(Config{Account: f.account, Authorize: f.authorize, Dir: f.dir, Now: f.clock})
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url, f.host = server.URL, strings.TrimPrefix(server.URL, "http://")
	f.password, _ = f.IssueToken(iam.Session{Name: "tester"})
	return f
}

func (f *fixture) declare(repository, mutability string) {
	f.account.Put(account.Resource{Type: account.Repository, URN: repository, ID: repository, Properties: map[string]any{
		"name": repository, "imageTagMutability": mutability,
		"arn": "arn:aws:ecr:eu-central-1:123456789012:repository/" + repository}})
}

func (f *fixture) authorize(s iam.Session, action string, resources ...string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.actions[action] = true
	if action == f.denied {
		return fmt.Errorf("User: %s is not authorized to perform: %s on resource: %s", s.Name, action, resources[0])
	}
	return nil
}

// deny revokes one permission until the next call; "" revokes none.
func (f *fixture) deny(action string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.denied = action
}

// evaluated returns the actions evaluated since the last call.
func (f *fixture) evaluated() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	actions := slices.Sorted(maps.Keys(f.actions))
	clear(f.actions)
	return actions
}

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fixture) advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

// do sends one request and returns the response with its body.
func (f *fixture) do(t *testing.T, method, path string, body io.Reader, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, f.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("AWS", f.password)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

// push uses go-containerregistry's client, which differs from docker's.
func (f *fixture) push(t *testing.T, reference string, image v1.Image) error {
	t.Helper()
	ref, err := name.ParseReference(f.host + "/" + reference)
	if err != nil {
		t.Fatal(err)
	}
	return remote.Write(ref, image, remote.WithAuth(&authn.Basic{Username: "AWS", Password: f.password}))
}

func randomImage(t *testing.T) v1.Image {
	t.Helper()
	image, err := random.Image(100, 2)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func digestOf(t *testing.T, d interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	h, err := d.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return h.String()
}

func sha(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

func TestAuthentication(t *testing.T) {
	f := newFixture(t)
	tests := []struct {
		name           string
		user, password string
		after          time.Duration
		wantStatus     int
		wantBody       string
	}{
		{"nobody", "", "", 0, 401, "Not Authorized"},
		{"other user", "root", f.password, 0, 401, "Not Authorized"},
		{"made up token", "AWS", "made-up", 0, 400, "Your authorization token is invalid"},
		{"fresh token", "AWS", f.password, 0, 200, ""},
		{"token before its end", "AWS", f.password, 12*time.Hour - time.Second, 200, ""},
		{"expired token", "AWS", f.password, time.Second, 403, "Your authorization token has expired. Reauthenticate and try again."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.advance(tt.after)
			r := httptest.NewRequest("GET", "http://registry/v2/", nil)
			if tt.user != "" {
				r.SetBasicAuth(tt.user, tt.password)
			}
			w := httptest.NewRecorder()
			f.ServeHTTP(w, r)
			if w.Code != tt.wantStatus || !strings.Contains(w.Body.String(), tt.wantBody) {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Body, tt.wantStatus, tt.wantBody)
			}
			challenge := w.Header().Get("WWW-Authenticate")
			if want := `Basic realm="http://registry/",service="ecr.amazonaws.com"`; (challenge == want) != (tt.wantStatus == 401) {
				t.Errorf("status %d with challenge %q", w.Code, challenge)
			}
		})
	}
}

// Each kind of request is evaluated as the corresponding ECR action.
func TestEveryOperationIsAuthorized(t *testing.T) {
	f := newFixture(t)
	layer := []byte("layer")
	f.upload(t, "web", layer)
	tests := []struct{ method, path, action string }{
		{"HEAD", "/v2/web/blobs/" + sha(layer), "ecr:BatchCheckLayerAvailability"},
		{"GET", "/v2/web/blobs/" + sha(layer), "ecr:GetDownloadUrlForLayer"},
		{"POST", "/v2/web/blobs/uploads/", "ecr:InitiateLayerUpload"},
		{"PATCH", "/v2/web/blobs/uploads/1", "ecr:UploadLayerPart"},
		{"PUT", "/v2/web/blobs/uploads/1", "ecr:CompleteLayerUpload"},
		{"HEAD", "/v2/web/manifests/v1", "ecr:BatchGetImage"},
		{"GET", "/v2/web/manifests/v1", "ecr:BatchGetImage"},
		{"GET", "/v2/web/manifests/v1", "ecr:GetDownloadUrlForLayer"},
		{"PUT", "/v2/web/manifests/v1", "ecr:PutImage"},
		{"PUT", "/v2/web/manifests/v1", "ecr:BatchGetImage"},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			f.deny(tt.action)
			answer, body := f.do(t, tt.method, tt.path, nil)
			want := `{"errors":[{"code":"DENIED","message":"User: tester is not authorized to perform: ` + tt.action +
				` on resource: arn:aws:ecr:eu-central-1:123456789012:repository/web"}]}` + "\n"
			if tt.method == "HEAD" {
				want = ""
			}
			if answer.StatusCode != http.StatusForbidden || body != want {
				t.Errorf("got %d %s, want 403 %s", answer.StatusCode, body, want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	f := newFixture(t)
	image := randomImage(t)
	if err := f.push(t, "web:v1", image); err != nil {
		t.Fatal(err)
	}
	manifest, err := image.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	strange, err := randomImage(t).RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	const docker = "application/vnd.docker.distribution.manifest.v2+json"
	const index = "application/vnd.oci.image.index.v1+json"
	missing := `{"schemaVersion":2,"manifests":[{"mediaType":"` + docker + `","size":2,"digest":"` + sha(nil) + `"}]}`
	tests := []struct {
		name         string
		method, path string
		mediaType    string
		body         string
		wantStatus   int
		want         string
	}{
		{"undeclared repository", "GET", "/v2/nowhere/manifests/v1", "", "", 404,
			`{"code":"NAME_UNKNOWN","message":"The repository with name 'nowhere' does not exist in the registry with id '123456789012'"}`},
		{"unknown tag", "GET", "/v2/web/manifests/v9", "", "", 404, `{"code":"MANIFEST_UNKNOWN","message":"Requested image not found"}`},
		{"same tag, same digest", "PUT", "/v2/web/manifests/v1", docker, string(manifest), 400,
			`"message":"The image tag 'v1' already exists in the 'web' repository and cannot be overwritten because the repository is immutable."`},
		{"same tag, other digest", "PUT", "/v2/web/manifests/v1", docker, string(strange), 400, `"code":"TAG_INVALID"`},
		{"layers that were never pushed", "PUT", "/v2/web/manifests/v2", docker, string(strange), 404,
			"required for pushing image into repository with name 'web' in the registry with id '123456789012' do not exist"},
		{"layers of another repository", "PUT", "/v2/loose/manifests/v1", docker, string(manifest), 404, `"code":"BLOB_UPLOAD_UNKNOWN"`},
		{"index of images that were never pushed", "PUT", "/v2/web/manifests/v2", index, missing, 404, "Images with digests '[" + sha(nil) + "]'"},
		{"another digest than the manifest's", "PUT", "/v2/web/manifests/" + sha(nil), docker, string(manifest), 400, `"code":"DIGEST_INVALID"`},
		{"no JSON", "PUT", "/v2/web/manifests/v2", docker, "hello", 405, "Invalid JSON syntax"},
		{"no layers", "PUT", "/v2/web/manifests/v2", docker, "{}", 405, "Image has to have at least 1 layer"},
		{"part of an unknown upload", "PATCH", "/v2/web/blobs/uploads/none", "", "x", 404, `"code":"BLOB_UPLOAD_UNKNOWN"`},
		{"end of an unknown upload", "PUT", "/v2/web/blobs/uploads/none?digest=" + sha(nil), "", "", 404, `"code":"BLOB_UPLOAD_UNKNOWN"`},
		{"digest that is none", "GET", "/v2/web/blobs/sha256:..", "", "", 400, "invalid digest"},
		{"digest that is a path", "GET", "/v2/web/blobs/sha256:..%2f..%2fuploads", "", "", 405, `"code":"UNSUPPORTED"`},
		{"deletion", "DELETE", "/v2/web/manifests/v1", "", "", 405, `"code":"UNSUPPORTED"`},
		{"catalog", "GET", "/v2/_catalog", "", "", 405, "does not serve GET /v2/_catalog"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer, body := f.do(t, tt.method, tt.path, strings.NewReader(tt.body), "Content-Type", tt.mediaType)
			if answer.StatusCode != tt.wantStatus || !strings.Contains(body, tt.want) {
				t.Errorf("got %d %s, want %d %s", answer.StatusCode, body, tt.wantStatus, tt.want)
			}
		})
	}
	if got := f.ImageCount("web"); got != 1 {
		t.Errorf("%d images after the refusals, want 1", got)
	}
}

func TestDeleteRepository(t *testing.T) {
	f := newFixture(t)
	for _, repository := range []string{"web", "web/cache"} {
		if err := f.push(t, repository+":v1", randomImage(t)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.DeleteRepository("web"); err != nil {
		t.Fatal(err)
	}
	if got := f.ImageCount("web"); got != 0 {
		t.Errorf("%d images in the deleted repository, want 0", got)
	}
	if got, left := f.ImageCount("web/cache"), files(t, f.dir); got != 1 || len(left) != 3 {
		t.Errorf("web/cache after the deletion of web: %d images, %v; want 1 with its configuration and two layers", got, left)
	}
	if err := f.push(t, "web:v1", randomImage(t)); err != nil {
		t.Errorf("push to the repository made anew: %v", err)
	}
	for _, repository := range []string{"web", "web/cache", "loose"} {
		if err := f.DeleteRepository(repository); err != nil {
			t.Error(err)
		}
	}
	if left := files(t, f.dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
