package codebuild

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// localCache is a project's local custom cache: folders that outlive builds, to which each build has symbolic links, as in
// AWS (User Guide, "Local caching": "Only directories can be specified", "Symlinks are used to reference cached
// directories").
type localCache struct {
	dir  string
	lock *os.File // nil for one that nobody else can find
}

// openCache locks the cache of a project, for one build at a time. It returns nil when another build has it, in whatever
// process.
func openCache(root, projectName string) (*localCache, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("build cache: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(root, projectName+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("build cache: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, nil
	}
	return &localCache{dir: filepath.Join(root, projectName), lock: lock}, nil
}

func (c *localCache) close() {
	if c.lock != nil {
		c.lock.Close() // which unlocks it
	}
}

// link makes place a link to the cached folder of that name. What is there already, from the source, has precedence.
func (c *localCache) link(name, place string) error {
	// The name becomes one path element: "/root/.cache" and ".cache" must not meet.
	cached := filepath.Join(c.dir, strings.NewReplacer("%", "%25", "/", "%2F").Replace(name))
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

// linkCache puts the project's cached folders into their places in the build.
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
	if cache == nil {
		b.log.say("Rehearsal: another build is using the cache of %s; this one starts with an empty one", b.project.Name)
		cache = &localCache{dir: filepath.Join(b.dir, "cache")} // goes with the build
	}
	b.cache = cache
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

// cachePlace returns the folder that a cache path means, and where it is on this machine: in the build's home for what
// is in /root, in its source folder for relative paths, nowhere else.
func (b *build) cachePlace(pattern string) (name, place string, err error) {
	name = pattern
	for _, all := range []string{"/**/*", "/**", "/*"} {
		name = strings.TrimSuffix(name, all)
	}
	name = filepath.Clean(name)
	inHome, ok := strings.CutPrefix(name, "/root/")
	switch {
	case strings.ContainsAny(name, "*?["):
		return "", "", fmt.Errorf("a local cache holds folders, and this is a pattern")
	case ok:
		return name, filepath.Join(b.homeDir(), inHome), nil
	case name == "." || !filepath.IsLocal(name):
		return "", "", fmt.Errorf("only folders below the source folder and /root are, so that nothing else of this machine is touched")
	}
	return name, filepath.Join(b.sourceDir(), name), nil
}
