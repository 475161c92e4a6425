package codebuild

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"cicd/internal/filelock"
	"cicd/internal/rmtree"
)

// localCache is a project's local custom cache: folders that outlive builds, to which each build has symbolic links, as in
// AWS (User Guide, "Local caching": "Only directories can be specified", "Symlinks are used to reference cached
// directories"). A project has several, as in AWS each build host has one of its own.
type localCache struct {
	path string // of the project's first cache, without a number
	n    int    // of this one, from 1
	lock *os.File
}

// openCache locks the first of a project's caches that no other build has, in whatever process.
func openCache(root, projectName string) (*localCache, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("build cache: %w", err)
	}
	for n := 1; ; n++ {
		cache, err := lockCache(filepath.Join(root, projectName), n)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return cache, err
		}
	}
}

// lockCache fails with EWOULDBLOCK when another build has the cache.
func lockCache(path string, n int) (*localCache, error) {
	c := &localCache{path: path, n: n}
	var err error
	if c.lock, err = os.OpenFile(c.dir()+".lock", os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, fmt.Errorf("build cache: %w", err)
	}
	if err := filelock.Try(c.lock); err != nil {
		c.close()
		return nil, fmt.Errorf("build cache %s: %w", c.dir(), err)
	}
	return c, nil
}

// dir names the folder of the cache. The name of a project has no dot.
func (c *localCache) dir() string {
	if c.n == 1 {
		return c.path
	}
	return fmt.Sprintf("%s.%d", c.path, c.n)
}

func (c *localCache) close() { c.lock.Close() } // which unlocks it

// spare copies the cache to the one with the next number, unless there is one. So the first build that runs beside
// another finds what earlier ones have compiled.
func (c *localCache) spare() error {
	next, err := lockCache(c.path, c.n+1)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil
	}
	if err != nil {
		return err
	}
	defer next.close()
	if _, err := os.Stat(next.dir()); err == nil {
		return nil
	}
	part := next.dir() + ".part"
	if err := rmtree.Remove(part); err != nil { // that of a rehearsal which was killed
		return err
	}
	if err := os.CopyFS(part, os.DirFS(c.dir())); err != nil {
		return err
	}
	return os.Rename(part, next.dir())
}

// link makes place a link to the cached folder of that name. Files from the source at that place take precedence.
func (c *localCache) link(name, place string) error {
	// The name becomes one path element: "/root/.cache" and ".cache" must not meet.
	cached := filepath.Join(c.dir(), strings.NewReplacer("%", "%25", "/", "%2F").Replace(name))
	if err := os.MkdirAll(cached, 0o700); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return err
	}
	if _, err := os.Lstat(place); err == nil {
		return nil
	}
	return os.Symlink(cached, place)
}

// linkCache links the project's cached folders into the build.
func (b *build) linkCache(spec *Buildspec) error {
	if len(spec.CachePaths) == 0 {
		return nil
	}
	if !b.project.customCache() || b.runner.CacheDir == "" {
		b.log.say("Skip cache due to: the project has no LOCAL_CUSTOM_CACHE")
		return nil
	}
	cache, err := openCache(b.runner.CacheDir, b.project.Name)
	if err != nil {
		return err
	}
	b.cache = cache
	if _, err := os.Stat(cache.dir()); cache.n > 1 && err != nil {
		b.warn("other builds have this project's caches, so this one begins with an empty one, and takes longer")
	}
	for _, pattern := range spec.CachePaths {
		name, place, err := b.cachePlace(pattern)
		if err != nil {
			b.log.say("Rehearsal: cache path %s is not cached: %v", pattern, err)
			continue
		}
		if err := cache.link(name, place); err != nil {
			return fmt.Errorf("cache path %s: %w", pattern, err)
		}
		b.log.say("Symlinking: %s", place)
	}
	return nil
}

// closeCache gives the cache back. A build that failed may have filled it in part, which is not worth a copy.
func (b *build) closeCache() error {
	defer b.cache.close()
	if b.failure != nil {
		return nil
	}
	return b.cache.spare()
}

// cachePlace returns the folder that a cache path means, and where it is on this machine: in the build's own folders for what
// is in /root and /go, in its source folder for relative paths, nowhere else.
func (b *build) cachePlace(pattern string) (name, place string, err error) {
	name = pattern
	for _, all := range []string{"/**/*", "/**", "/*"} {
		name = strings.TrimSuffix(name, all)
	}
	name = filepath.Clean(name)
	switch place := b.place(name); {
	case strings.ContainsAny(name, "*?["):
		return "", "", fmt.Errorf("a local cache holds folders, but this is a pattern")
	case place != name && place != b.homeDir() && place != b.goDir():
		return name, place, nil
	case name == "." || !filepath.IsLocal(name):
		return "", "", fmt.Errorf("only folders below the source folder, /root and /go are, to leave the rest of this machine alone")
	}
	return name, filepath.Join(b.sourceDir(), name), nil
}
