package ecr

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestImages(t *testing.T) {
	f := newFixture(t)
	first, second := randomImage(t), randomImage(t)
	pushedAt := f.clock()
	for _, push := range []struct {
		reference string
		image     v1.Image
	}{{"loose:v1", first}, {"loose:latest", first}, {"loose:latest", first}, {"loose:latest", second}} {
		if err := f.push(t, push.reference, push.image); err != nil {
			t.Fatal(err)
		}
		f.advance(time.Minute)
	}
	images, err := f.Images("loose")
	if err != nil {
		t.Fatal(err)
	}
	if len(images) != 2 || f.ImageCount("loose") != 2 {
		t.Fatalf("got %d images, want 2: %+v", len(images), images)
	}
	if got := images[0]; got.Digest != digestOf(t, first) || !slices.Equal(got.Tags, []string{"v1"}) || !got.PushedAt.Equal(pushedAt) {
		t.Errorf("got %+v, want %s with tag v1 of %s", got, digestOf(t, first), pushedAt)
	}
	if got := images[1]; got.Digest != digestOf(t, second) || !slices.Equal(got.Tags, []string{"latest"}) {
		t.Errorf("got %+v, want %s with tag latest", got, digestOf(t, second))
	}
	if got := images[0]; got.SizeBytes <= 200 || got.MediaType == "" || got.ConfigMediaType == "" || sha(got.Manifest) != got.Digest {
		t.Errorf("got %+v, want size of two layers of 100 bytes and more, media types, and the manifest", got)
	}

	found, err := f.Images("loose", ImageID{Tag: "latest"})
	if err != nil || len(found) != 1 || found[0].Digest != digestOf(t, second) {
		t.Errorf("Images(latest) = %+v, %v", found, err)
	}
	_, err = f.Images("loose", ImageID{Tag: "v1", Digest: digestOf(t, second)})
	want := "ImageNotFoundException: The image with imageId {imageDigest:'" + digestOf(t, second) + "', imageTag:'v1'} does not exist " +
		"within the repository with name 'loose' in the registry with id '123456789012'"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestIndexHasTheSizeOfItsLargestImage(t *testing.T) {
	f := newFixture(t)
	index, err := random.Index(100, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(f.host + "/web:multi")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index, remote.WithAuth(&authn.Basic{Username: "AWS", Password: f.password})); err != nil {
		t.Fatal(err)
	}
	images, err := f.Images("web", ImageID{Tag: "multi"})
	if err != nil || len(images) != 1 {
		t.Fatalf("Images(multi) = %v, %v", images, err)
	}
	all, err := f.Images("web")
	if err != nil || len(all) != 3 {
		t.Fatalf("Images() = %v, %v, want the index and its two images", all, err)
	}
	if got, want := images[0].SizeBytes, max(all[0].SizeBytes, all[1].SizeBytes); got != want {
		t.Errorf("index has %d bytes, want %d", got, want)
	}
}
