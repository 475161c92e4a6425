package dashboard

import (
	"crypto/subtle"
	"net/http"
	"strings"
)

// policy lets a page load what this server has and nothing else, and nobody show it in a frame.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard answers only who has come with the token, from a page of this server. Without the check of the host, a page of
// another site could have its name resolve to this machine, and read the answers.
func (s *Server) guard(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range map[string]string{
			"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
			"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			w.Header().Set(name, value)
		}
		switch {
		case r.Host != strings.TrimSuffix(s.listener.Addr().String(), ":80"): // browsers omit HTTP's own port
			http.Error(w, "This address is not the dashboard's: open the one that cicd dashboard has printed.", http.StatusMisdirectedRequest)
		case crossOrigin.Check(r) != nil:
			http.Error(w, "Another site may not send this.", http.StatusForbidden)
		case r.Method == http.MethodGet && r.URL.Path == s.base && s.knows(r.URL.Query().Get("token")):
			http.SetCookie(w, &http.Cookie{Name: cookieName, Value: s.token, Path: s.base, HttpOnly: true, SameSite: http.SameSiteStrictMode})
			http.Redirect(w, r, s.base, http.StatusSeeOther) // so that the token is not in the address bar
		case !s.admits(r):
			http.Error(w, "Open the address that cicd dashboard has printed: it has a token.", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// cookieName is the name of the cookie with the token.
const cookieName = "cicd"

func (s *Server) admits(r *http.Request) bool {
	cookie, err := r.Cookie(cookieName)
	return err == nil && s.knows(cookie.Value)
}

func (s *Server) knows(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) == 1
}
