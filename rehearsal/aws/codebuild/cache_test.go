package codebuild

import (
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

func TestCacheIsOneBuildsAtATime(t *testing.T) {
	f := cached(t)
	f.mustBuild(t)
	other, err := openCache(f.runner.CacheDir, "demo")
	if err != nil || other == nil {
		t.Fatal(other, err)
	}
	f.mustBuild(t)
	if got := f.printed(); !slices.Equal(got, []string{"none"}) || !strings.Contains(f.log.String(), "another build is using the cache of demo") {
		t.Errorf("a build with a cache that another one holds:\n%s", &f.log)
	}
	other.close()
	f.mustBuild(t)
	if got := f.printed(); !slices.Equal(got, []string{"kept", "kept", "kept"}) {
		t.Errorf("after that, printed %q", got)
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
