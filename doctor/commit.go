package doctor

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// commit is the checkout's newest commit: what a push of it would release. Files that are not in it do not exist for a build.
type commit struct {
	dir string
	// id is abbreviated.
	id    string
	files []string // with slashes, from the repository's root
	// remotes are the checkout's: the URLs that lead to GitHub by the repository, owner/name in lower case, and "" for any others.
	remotes map[string]string
}

// githubRemote matches the URLs by which Git reaches a repository on GitHub: a host without a dot is a name of the person's own
// for one, from ssh's configuration.
var githubRemote = regexp.MustCompile(`(?i)^(?:(?:https|ssh|git)://(?:[^@/]*@)?(?:ssh\.)?github\.com(?::\d+)?/|(?:[^@/:]+@)?(?:github\.com|[^./:]+):/?)([^/]+/[^/]+?)(?:\.git)?/?$`)

// readCommit reads the newest commit of the checkout that a folder is in.
func readCommit(ctx context.Context, dir string) (*commit, error) {
	id, err := git(ctx, dir, "rev-parse", "--short", "--verify", "HEAD^{commit}")
	if err != nil {
		return nil, fmt.Errorf("%s has no commit to look at: %w", dir, err)
	}
	list, err := git(ctx, dir, "ls-tree", "-r", "-z", "--name-only", "--full-tree", "HEAD")
	if err != nil {
		return nil, err
	}
	c := &commit{dir: dir, id: strings.TrimSpace(id), files: strings.Split(strings.TrimSuffix(list, "\x00"), "\x00"), remotes: map[string]string{}}
	urls, err := git(ctx, dir, "config", "--get-regexp", `^remote\..*\.url$`)
	if err != nil && exitCode(err) != 1 { // 1: there is none (git-config(1))
		return nil, err
	}
	for line := range strings.Lines(urls) {
		_, url, _ := strings.Cut(strings.TrimSpace(line), " ")
		repository := ""
		if match := githubRemote.FindStringSubmatch(url); match != nil {
			repository = strings.ToLower(match[1])
		}
		c.remotes[repository] = url
	}
	return c, nil
}

// has reports whether the commit has a file.
func (c *commit) has(file string) bool { return slices.Contains(c.files, file) }

// read returns a file's content as the commit has it.
func (c *commit) read(ctx context.Context, file string) (string, error) {
	return git(ctx, c.dir, "cat-file", "blob", "HEAD:"+file)
}

// remote returns the URL by which the checkout reaches a repository on GitHub, "" if it has none.
func (c *commit) remote(repository string) string { return c.remotes[strings.ToLower(repository)] }

// source returns the commit, if it is one of the repository that the stack releases, as far as its remotes tell.
func (s *subject) source(repository string) (*commit, error) {
	c, err := s.commit()
	if err != nil {
		return nil, err
	}
	if len(c.remotes) > 0 && c.remote(repository) == "" {
		return nil, fmt.Errorf("%s is no checkout of %s: none of its remotes is\nTo do: run it in a clone of %[2]s, or correct `repository`", c.dir, repository)
	}
	return c, nil
}
