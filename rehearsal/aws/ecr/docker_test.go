package ecr

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"cicd/internal/docker/dockertest"
)

// docker runs the docker command line with its own configuration, so that logins stay in the test.
type docker struct {
	t      *testing.T
	config string
}

func newDocker(t *testing.T) docker {
	t.Helper()
	dockertest.Need(t)
	return docker{t, t.TempDir()}
}

func (d docker) try(stdin []byte, args ...string) (stdout, stderr string, err error) {
	var out, errs strings.Builder
	cmd := exec.Command("docker", args...)
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+d.config)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &errs
	err = cmd.Run()
	return strings.TrimSpace(out.String()), errs.String(), err
}

func (d docker) run(stdin []byte, args ...string) (stdout string) {
	d.t.Helper()
	stdout, stderr, err := d.try(stdin, args...)
	if err != nil {
		d.t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return stdout
}

func (d docker) refused(want string, args ...string) {
	d.t.Helper()
	if _, stderr, err := d.try(nil, args...); err == nil || !strings.Contains(stderr, want) {
		d.t.Errorf("docker %s: %v\n%s\nwant a failure with: %s", strings.Join(args, " "), err, stderr, want)
	}
}

// build creates an image with one file of its own, FROM scratch, and removes it and all its names at the end.
func (d docker) build(names ...string) (id string) {
	d.t.Helper()
	var context bytes.Buffer
	archive := tar.NewWriter(&context)
	for path, text := range map[string]string{
		"Dockerfile": "FROM scratch\nCOPY file /file\nCMD [\"/file\"]\n",
		"file":       rand.Text(),
	} {
		header := &tar.Header{Name: path, Mode: 0o644, Size: int64(len(text))}
		if err := archive.WriteHeader(header); err != nil {
			d.t.Fatal(err)
		}
		if _, err := archive.Write([]byte(text)); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		d.t.Fatal(err)
	}
	args := []string{"build", "--quiet"}
	for _, name := range names {
		args = append(args, "--tag", name)
	}
	id = d.run(context.Bytes(), append(args, "-")...)
	d.t.Cleanup(func() { d.try(nil, "image", "rm", "--force", id) })
	return id
}

func TestDocker(t *testing.T) {
	d, f := newDocker(t), newFixture(t)
	pushed, undeclared := f.host+"/web:v1", f.host+"/nowhere:v1"
	id := d.build(pushed, undeclared, f.host+"/web:v2")

	d.refused("no basic auth credentials", "push", pushed)
	d.run([]byte(f.password), "login", "--username", "AWS", "--password-stdin", f.host)

	f.evaluated()
	d.run(nil, "push", pushed)
	// The user guide's permissions for pushing.
	wantActions(t, f, "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart")

	images, err := f.Images("web", ImageID{Tag: "v1"})
	if err != nil || len(images) != 1 {
		t.Fatalf("Images(v1) = %v, %v", images, err)
	}
	d.run(nil, "image", "rm", "--force", id)
	f.evaluated()
	d.run(nil, "pull", f.host+"/web@"+images[0].Digest)
	// AWS's policy AmazonEC2ContainerRegistryPullOnly allows only these two and GetAuthorizationToken.
	wantActions(t, f, "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
	if got := d.run(nil, "image", "inspect", "--format", "{{.Id}}", f.host+"/web@"+images[0].Digest); got != id {
		t.Errorf("pulled image %s, want the one that was pushed, %s", got, id)
	}

	d.run(nil, "tag", id, pushed)
	d.refused("tag invalid: The image tag 'v1' already exists in the 'web' repository and cannot be overwritten because the repository is immutable.",
		"push", pushed)
	d.run(nil, "tag", id, undeclared)
	d.refused("name unknown: The repository with name 'nowhere' does not exist in the registry with id '123456789012'", "push", undeclared)
	d.refused("manifest unknown: Requested image not found", "pull", f.host+"/web:v9")

	f.deny("ecr:PutImage")
	d.run(nil, "tag", id, f.host+"/web:v2")
	d.refused("denied: User: tester is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:eu-central-1:123456789012:repository/web",
		"push", f.host+"/web:v2")
	f.deny("")

	f.advance(12 * time.Hour)
	d.refused("denied: Your authorization token has expired. Reauthenticate and try again.", "push", f.host+"/web:v2")
	if got := f.ImageCount("web"); got != 1 {
		t.Errorf("%d images in the end, want 1", got)
	}
}

func wantActions(t *testing.T, f *fixture, want ...string) {
	t.Helper()
	if got := f.evaluated(); !slices.Equal(got, want) {
		t.Errorf("evaluated %v, want %v", got, want)
	}
}
