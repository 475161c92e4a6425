package ecr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// repository holds what has been pushed to a declared repository.
type repository struct {
	registry *Registry
	name     string
	protocol http.Handler // pkg/registry: serves layers and manifests, keeps manifests
	layers   layers
	uploads  uploads

	mu     sync.Mutex
	images []*Image // in order of first push
}

func newRepository(g *Registry, name string) (*repository, error) {
	c := &repository{
		registry: g,
		name:     name,
		layers:   layers(filepath.Join(g.folder(name), "layers")),
		uploads:  uploads{dir: filepath.Join(g.folder(name), "uploads"), open: map[string]*upload{}},
	}
	c.protocol = registry.New(registry.WithBlobHandler(c.layers), registry.Logger(log.New(io.Discard, "", 0)))
	return c, errors.Join(os.MkdirAll(string(c.layers), 0o700), os.MkdirAll(c.uploads.dir, 0o700))
}

func (c *repository) registryID() string { return c.registry.config.Account.ID() }

// layers is a folder of files named by digest: image layers and image configurations.
type layers string

var (
	_ registry.BlobHandler     = layers("")
	_ registry.BlobStatHandler = layers("")
)

// path is safe for any digest, because v1.NewHash allows only hexadecimal digits.
func (l layers) path(h v1.Hash) string { return filepath.Join(string(l), h.Algorithm+"-"+h.Hex) }

// Stat returns a layer's size in bytes, or registry.ErrNotFound.
func (l layers) Stat(_ context.Context, _ string, h v1.Hash) (int64, error) {
	info, err := os.Stat(l.path(h))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, registry.ErrNotFound
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Get opens a layer, or returns registry.ErrNotFound.
func (l layers) Get(_ context.Context, _ string, h v1.Hash) (io.ReadCloser, error) {
	f, err := os.Open(l.path(h))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, registry.ErrNotFound
	}
	return f, err
}

// missing returns the digests of the layers that are not in the folder.
func (l layers) missing(wanted []v1.Descriptor) []string {
	var digests []string
	for _, d := range wanted {
		if _, err := os.Stat(l.path(d.Digest)); err != nil && d.MediaType.IsDistributable() {
			digests = append(digests, d.Digest.String())
		}
	}
	return digests
}

// serveBlob handles HEAD and GET of a layer.
func (c *repository) serveBlob(w http.ResponseWriter, r *http.Request, digest string) error {
	// An interrupted pull resumes with "bytes=N-", but pkg/registry requires an end.
	if start, open := strings.CutSuffix(r.Header.Get("Range"), "-"); open {
		if h, err := v1.NewHash(digest); err == nil {
			if size, err := c.layers.Stat(r.Context(), c.name, h); err == nil {
				r.Header.Set("Range", fmt.Sprintf("%s-%d", start, size-1))
			}
		}
	}
	c.protocol.ServeHTTP(w, r)
	return nil
}
