package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
)

// noSuchRef is ls-remote's exit code if nothing matches (git-ls-remote(1), --exit-code).
const noSuchRef = 2

// findBranch asks GitHub for the branch, as the person: with the remote that the checkout has for the repository, and so its
// credentials, or else over HTTPS.
func findBranch(ctx context.Context, s *subject) ([]Finding, error) {
	needs, err := s.settings("repository", "branch")
	if err != nil {
		return nil, err
	}
	url := ""
	if c, err := s.commit(); err == nil {
		url = c.remote(needs.Repository)
	}
	url = cmp.Or(url, "https://github.com/"+needs.Repository+".git")
	_, err = git(ctx, s.Dir, "ls-remote", "--exit-code", "--heads", url, "refs/heads/"+needs.Branch)
	shown := discreet(url)
	switch {
	case err == nil:
		return nil, nil
	case exitCode(err) == noSuchRef:
		return []Finding{{
			Severity: Error,
			Message:  fmt.Sprintf("%s has no branch %s, so there is nothing to release", needs.Repository, needs.Branch),
			Remedy:   fmt.Sprintf("Push it: `git push %s HEAD:%s`, or correct `branch`.", shown, needs.Branch),
		}}, nil
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("branch %s of %s: %s does not answer within %s\nTo do: check the connection, and the proxy if there is one", needs.Branch, needs.Repository, shown, patience)
	}
	return nil, fmt.Errorf("branch %s of %s: %w\nTo do: check `repository`, and whether `git ls-remote %s` works", needs.Branch, needs.Repository, err, shown)
}

// userInfo is what a URL may have before the host: often a token.
var userInfo = regexp.MustCompile(`(https?://)[^@/\s]*@`)

// discreet returns a text without the tokens in its URLs.
func discreet(text string) string { return userInfo.ReplaceAllString(text, "$1") }
