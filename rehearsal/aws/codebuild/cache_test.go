package codebuild

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func cached(t *testing.T) *fixture {
	f := newFixture(t, spec("", "cat ~/.cache/go-build/x node_modules/x vendor/x 2>/dev/null || echo none", "echo kept | tee ~/.cache/go-build/x node_modules/x > vendor/x")+
		"cache: {paths: ['/root/.cache/go-build/**/*', 'node_modules/**/*', vendor, /var/lib/x, '../up', '*.jar']}\n")
	f.properties["cache"] = map[string]any{"type": "LOCAL", "modes": []any{"LOCAL_DOCKER_LAYER_CACHE", "LOCAL_CUSTOM_CACHE"}}
	return f
}

func TestCacheLasts(t *testing.T) {
	f := cached(t)
	f.mustBuild(t)
	if got := f.printed(); !slices.Equal(got, []string{"none"}) {
		t.Errorf("first build printed %q", got)
	}
	f.mustBuild(t)
	if got := f.printed(); !slices.Equal(got, []string{"kept", "kept", "kept"}) {
		t.Errorf("second build printed %q", got)
	}
	for _, path := range []string{"/var/lib/x", "../up", "*.jar"} {
		if !strings.Contains(f.log.String(), "Rehearsal: cache path "+path+" is not cached") {
			t.Errorf("no note about %s", path)
		}
	}
}

func TestSourceOverridesCache(t *testing.T) {
	f := cached(t)
	f.mustBuild(t)
	f.source["vendor/x"] = "from the source\n"
	f.mustBuild(t)
	if got := f.printed(); !slices.Equal(got, []string{"kept", "kept", "from the source"}) {
		t.Errorf("printed %q", got)
	}
}

// TestCacheIsOneBuildsAtATime: builds side by side begin with the same, and what one makes of it does not reach another.
func TestCacheIsOneBuildsAtATime(t *testing.T) {
	f := cached(t)
	f.mustBuild(t)
	var others []*localCache
	for range 2 {
		other, err := openCache(f.runner.CacheDir, "demo")
		if err != nil {
			t.Fatal(err)
		}
		for _, folder := range []string{"vendor", "node_modules"} {
			if kept, err := os.ReadFile(filepath.Join(other.dir(), folder, "x")); err != nil || string(kept) != "kept\n" {
				t.Errorf("cache %d has %q, %v, want what the first build kept", other.n, kept, err)
			}
		}
		if err := os.WriteFile(filepath.Join(other.dir(), "vendor", "x"), []byte("of another\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		others = append(others, other)
		f.mustBuild(t)
		if got := f.printed(); !slices.Equal(got, []string{"kept", "kept", "kept"}) {
			t.Errorf("a build beside %d others printed %q", len(others), got)
		}
	}
	for _, other := range others {
		other.close()
	}
	f.mustBuild(t)
	if got := f.printed(); !slices.Equal(got, []string{"kept", "kept", "of another"}) {
		t.Errorf("the build with the first cache printed %q", got)
	}
}

func TestNoCacheDeclared(t *testing.T) {
	f := cached(t)
	delete(f.properties, "cache")
	f.build(t, t.Context())
	f.build(t, t.Context())
	if got := f.printed(); !slices.Contains(got, "none") {
		t.Errorf("a cache that is not declared lasted: %q", got)
	}
}
