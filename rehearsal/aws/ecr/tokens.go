package ecr

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"sync"
	"time"

	"cicd/rehearsal/aws/iam"
)

// tokenLifetime is how long a login lasts (ECR API reference, GetAuthorizationToken: "valid for 12 hours").
const tokenLifetime = 12 * time.Hour

// tokens are the logins that GetAuthorizationToken has issued. Expired ones are kept, so that they are reported as expired.
type tokens struct {
	now func() time.Time

	mu     sync.Mutex
	issued map[string]login
}

type login struct {
	session   iam.Session
	expiresAt time.Time
}

// IssueToken returns the password with which user AWS may log in, as session, until expiresAt.
func (g *Registry) IssueToken(session iam.Session) (password string, expiresAt time.Time) {
	return g.tokens.issue(session)
}

func (t *tokens) issue(session iam.Session) (string, time.Time) {
	random := make([]byte, 96)
	rand.Read(random) // never fails, see crypto/rand
	password := base64.StdEncoding.EncodeToString(random)
	expiresAt := t.now().Add(tokenLifetime)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.issued == nil {
		t.issued = map[string]login{}
	}
	t.issued[password] = login{session, expiresAt}
	return password, expiresAt
}

// authenticate returns the session behind the request's basic authentication.
func (t *tokens) authenticate(r *http.Request) (iam.Session, error) {
	user, password, ok := r.BasicAuth()
	if !ok || user != "AWS" {
		return iam.Session{}, errUnauthorized
	}
	t.mu.Lock()
	l, ok := t.issued[password]
	t.mu.Unlock()
	if !ok {
		return iam.Session{}, errTokenUnknown
	}
	if !t.now().Before(l.expiresAt) {
		return iam.Session{}, errTokenExpired
	}
	return l.session, nil
}
