package ecr

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// manifestLimit is the largest manifest accepted, in bytes: the limit of ECR's PutImage (imageManifest, 4,194,304).
const manifestLimit = 4 << 20

// imageID parses the last part of a manifest's path, a digest or a tag.
func imageID(reference string) ImageID {
	if strings.Contains(reference, ":") {
		return ImageID{Digest: reference}
	}
	return ImageID{Tag: reference}
}

// serveManifest handles HEAD and GET of a manifest.
func (c *repository) serveManifest(w http.ResponseWriter, r *http.Request, reference string) error {
	c.mu.Lock()
	_, ok := c.find(imageID(reference))
	c.mu.Unlock()
	if !ok {
		return errManifestUnknown
	}
	c.protocol.ServeHTTP(w, r)
	return nil
}

// putManifest handles PUT: ECR's PutImage.
func (c *repository) putManifest(w http.ResponseWriter, r *http.Request, reference string) error {
	manifest, err := io.ReadAll(http.MaxBytesReader(w, r.Body, manifestLimit))
	if err != nil {
		return errManifestInvalid(err.Error())
	}
	digest, _, err := v1.SHA256(bytes.NewReader(manifest))
	if err != nil {
		return fmt.Errorf("manifest digest: %w", err)
	}
	image := &Image{Digest: digest.String(), MediaType: r.Header.Get("Content-Type"), Manifest: manifest}

	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.admit(image, imageID(reference)); err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(manifest))
	c.protocol.ServeHTTP(w, r)
	c.record(image, imageID(reference).Tag)
	return nil
}

// admit checks an image that is about to be pushed as id, and fills in what its manifest says. The caller holds c.mu.
func (c *repository) admit(image *Image, id ImageID) error {
	if id.Digest != "" && id.Digest != image.Digest {
		return errDigestMismatch(id.Digest, image.Digest)
	}
	// ECR rejects the tag even for the digest it already has (F19): a re-run of a commit must check first.
	if _, exists := c.find(id); exists && id.Tag != "" && c.immutable() {
		return errTagExists(id.Tag, c.name)
	}
	if types.MediaType(image.MediaType).IsIndex() {
		return c.admitIndex(image)
	}
	m, err := v1.ParseManifest(bytes.NewReader(image.Manifest))
	if err != nil {
		return errManifestInvalid("Invalid JSON syntax")
	}
	if len(m.Layers) == 0 {
		return errManifestInvalid("Image has to have at least 1 layer")
	}
	parts := append([]v1.Descriptor{m.Config}, m.Layers...)
	if missing := c.layers.missing(parts); len(missing) > 0 {
		return errLayersNotFound(missing, c.name, c.registryID())
	}
	for _, part := range parts {
		image.SizeBytes += part.Size
	}
	image.ConfigMediaType = string(m.Config.MediaType)
	return nil
}

func (c *repository) admitIndex(index *Image) error {
	m, err := v1.ParseIndexManifest(bytes.NewReader(index.Manifest))
	if err != nil {
		return errManifestInvalid("Invalid JSON syntax")
	}
	var missing []string
	for _, d := range m.Manifests {
		image, ok := c.find(ImageID{Digest: d.Digest.String()})
		if !ok {
			missing = append(missing, d.Digest.String())
			continue
		}
		index.SizeBytes = max(index.SizeBytes, image.SizeBytes)
	}
	if len(missing) > 0 {
		return errReferencedImagesNotFound(missing, c.name, c.registryID())
	}
	return nil
}

// record adds a pushed image and points tag, if any, to it. The caller holds c.mu.
func (c *repository) record(image *Image, tag string) {
	if known, ok := c.find(ImageID{Digest: image.Digest}); ok {
		image = known
	} else {
		image.PushedAt = c.registry.config.Now()
		c.images = append(c.images, image)
	}
	if tag == "" || slices.Contains(image.Tags, tag) {
		return
	}
	for _, other := range c.images {
		other.Tags = slices.DeleteFunc(other.Tags, func(t string) bool { return t == tag })
	}
	image.Tags = append(image.Tags, tag)
}

// immutable reads the current declaration: a change applies from the next push on.
func (c *repository) immutable() bool {
	declared, err := c.registry.declared(c.name)
	return err == nil && declared.String("imageTagMutability") == "IMMUTABLE"
}
