package codepipeline

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
)

// Location is where an artifact is stored.
type Location struct {
	Bucket, Key string
	// Version is "" until the object is stored.
	Version string
}

// artifact is an action's output.
type artifact struct {
	Location
	revision string // its source commit
}

// newLocation names a new object for an artifact as CodePipeline does: the names of the pipeline and the artifact,
// truncated, and a random part.
func (e *Execution) newLocation(name string) Location {
	return Location{Bucket: e.def.bucket(), Key: fmt.Sprintf("%.20s/%.10s/%s", e.Pipeline, name, rand.Text()[:7])}
}

func (e *Execution) setArtifact(name string, a artifact) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.artifacts[name] = a
}

func (e *Execution) input(name string) (artifact, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	a, ok := e.artifacts[name]
	if !ok {
		return artifact{}, fmt.Errorf("no earlier action of this execution has produced the artifact %s", name)
	}
	return a, nil
}

// CodePipeline's calls to its artifact store besides reading and writing, with the pipeline's role: the minimum of
// the AWS CodePipeline User Guide, "Manage the CodePipeline service role". Without PutObjectAcl the source action
// fails with "Upload to S3 failed" (aws/aws-cdk issue 13557).
var (
	askBucket   = []string{"s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"}
	writeObject = []string{"s3:PutObjectAcl"}
	readObject  = []string{"s3:GetObject", "s3:GetObjectVersion"}
)

// take returns an input artifact, which the action reads with its role.
func (c *call) take(name string) (artifact, error) {
	a, err := c.input(name)
	if err == nil {
		err = c.service.Store.Inspect(c.Session, a.Bucket, a.Key, readObject...)
	}
	if err != nil {
		return artifact{}, fmt.Errorf("artifact %s: %w", name, err)
	}
	return a, nil
}

// store uploads a file as the named artifact, with the action's role.
func (c *call) store(path, name, revision string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	location := c.newLocation(name)
	version, err := c.service.Store.PutEncrypted(c.Session, location.Bucket, location.Key, c.def.encryptionKey(), f)
	err = errors.Join(
		c.service.Store.Inspect(c.Session, location.Bucket, "", askBucket...), err,
		c.service.Store.Inspect(c.Session, location.Bucket, location.Key, writeObject...))
	if err != nil {
		return fmt.Errorf("artifact %s: %w", name, err)
	}
	location.Version = version.ID
	c.setArtifact(name, artifact{location, revision})
	return nil
}

// scratchFile names a temporary file and returns the function that removes it.
func (s *Service) scratchFile(name string) (path string, discard func(), err error) {
	f, err := os.CreateTemp(s.Dir, name+"-*.zip")
	if err != nil {
		return "", nil, err
	}
	return f.Name(), func() { os.Remove(f.Name()) }, f.Close()
}
