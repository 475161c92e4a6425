package ecr

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// uploads are the layers being uploaded, written to files to save memory. One that its client abandons stays until
// the repository is deleted.
type uploads struct {
	dir string

	mu   sync.Mutex
	open map[string]*upload
}

type upload struct {
	path string

	mu   sync.Mutex
	size int64 // bytes received
	hash hash.Hash
}

func (u *uploads) start() (id string) {
	id = rand.Text()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.open[id] = &upload{path: filepath.Join(u.dir, id), hash: sha256.New()}
	return id
}

func (u *uploads) find(id string) (*upload, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	up, ok := u.open[id]
	return up, ok
}

// forget ends an upload and removes what it received, unless that has become a layer.
func (u *uploads) forget(id string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if up, ok := u.open[id]; ok {
		delete(u.open, id)
		return os.RemoveAll(up.path)
	}
	return nil
}

func (u *upload) append(part io.Reader) error {
	f, err := os.OpenFile(u.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(io.MultiWriter(f, u.hash), part)
	u.size += n
	return errors.Join(err, f.Close())
}

// startUpload handles POST. Mounting a layer from another repository (?mount=) is off in ECR by default, and a client
// must then expect this same response.
func (c *repository) startUpload(w http.ResponseWriter, _ *http.Request, _ string) error {
	c.accepted(w, c.uploads.start(), 0)
	return nil
}

// continueUpload handles PATCH. A part that is cut short ends the upload: its client starts a new one.
func (c *repository) continueUpload(w http.ResponseWriter, r *http.Request, id string) error {
	u, ok := c.uploads.find(id)
	if !ok {
		return errUploadNotFound(id, c.name, c.registryID())
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if part := r.Header.Get("Content-Range"); part != "" {
		var first, last int64
		if _, err := fmt.Sscanf(part, "%d-%d", &first, &last); err != nil || first != u.size {
			return errLayerPartInvalid(part, u.size)
		}
	}
	if err := u.append(r.Body); err != nil {
		return errors.Join(fmt.Errorf("layer part: %w", err), c.uploads.forget(id))
	}
	c.accepted(w, id, u.size)
	return nil
}

func (c *repository) accepted(w http.ResponseWriter, id string, size int64) {
	w.Header().Set("Location", "/v2/"+c.name+"/blobs/uploads/"+id)
	w.Header().Set("Docker-Upload-UUID", id)
	w.Header().Set("Range", fmt.Sprintf("0-%d", max(size-1, 0)))
	w.WriteHeader(http.StatusAccepted)
}

// completeUpload handles PUT: the received data becomes a layer if it has the client's digest.
func (c *repository) completeUpload(w http.ResponseWriter, r *http.Request, id string) error {
	u, ok := c.uploads.find(id)
	if !ok {
		return errUploadNotFound(id, c.name, c.registryID())
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := c.complete(u, r); err != nil {
		return errors.Join(err, c.uploads.forget(id))
	}
	w.Header().Set("Location", "/v2/"+c.name+"/blobs/"+r.URL.Query().Get("digest"))
	w.Header().Set("Docker-Content-Digest", r.URL.Query().Get("digest"))
	w.WriteHeader(http.StatusCreated)
	return c.uploads.forget(id)
}

func (c *repository) complete(u *upload, r *http.Request) error {
	if err := u.append(r.Body); err != nil {
		return fmt.Errorf("layer part: %w", err)
	}
	want, got := r.URL.Query().Get("digest"), fmt.Sprintf("sha256:%x", u.hash.Sum(nil))
	digest, err := v1.NewHash(want)
	if err != nil || got != want {
		return errLayerInvalid(want, got)
	}
	if err := os.Rename(u.path, c.layers.path(digest)); err != nil {
		return fmt.Errorf("layer %s: %w", want, err)
	}
	return nil
}
