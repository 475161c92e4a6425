package ecr

import (
	"slices"
	"time"
)

// Image is one pushed manifest with ECR's metadata.
type Image struct {
	// Digest is "sha256:" and the hash of Manifest.
	Digest string
	// Tags are those that now point to the image, oldest first. An image whose only tag has moved has none.
	Tags []string
	// PushedAt is when the manifest was first pushed.
	PushedAt time.Time
	// SizeBytes is the total of configuration and layers; for a manifest list, that of its largest image.
	SizeBytes int64
	// MediaType is the manifest's, ConfigMediaType its configuration's ("" for a manifest list).
	MediaType, ConfigMediaType string
	// Manifest is the JSON as pushed.
	Manifest []byte
}

// ImageID identifies an image by digest, by tag, or by both.
type ImageID struct {
	Digest string `json:"imageDigest,omitempty"`
	Tag    string `json:"imageTag,omitempty"`
}

// String returns the format in ECR's errors.
func (id ImageID) String() string {
	text := func(s string) string {
		if s == "" {
			return "null"
		}
		return s
	}
	return "{imageDigest:'" + text(id.Digest) + "', imageTag:'" + text(id.Tag) + "'}"
}

// Images returns the images with these ids, or every image if there are no ids, in order of first push. An undeclared
// repository or an unknown image is an ECR error, of type *Error.
func (g *Registry) Images(repository string, ids ...ImageID) ([]Image, error) {
	c, err := g.repository(repository)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		if !slices.ContainsFunc(c.images, id.names) {
			return nil, errImageNotFound(id, c.name, c.registryID())
		}
	}
	var found []Image
	for _, image := range c.images {
		if len(ids) == 0 || slices.ContainsFunc(ids, func(id ImageID) bool { return id.names(image) }) {
			copied := *image
			copied.Tags = slices.Clone(image.Tags)
			found = append(found, copied)
		}
	}
	return found, nil
}

// ImageCount returns the number of images in a repository; one that is not declared has none.
func (g *Registry) ImageCount(repository string) int {
	images, _ := g.Images(repository)
	return len(images)
}

func (id ImageID) names(image *Image) bool {
	if id == (ImageID{}) || id.Digest != "" && id.Digest != image.Digest {
		return false
	}
	return id.Tag == "" || slices.Contains(image.Tags, id.Tag)
}

// find returns the image with an id. The caller holds c.mu.
func (c *repository) find(id ImageID) (*Image, bool) {
	i := slices.IndexFunc(c.images, id.names)
	if i < 0 {
		return nil, false
	}
	return c.images[i], true
}
