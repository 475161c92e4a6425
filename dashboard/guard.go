package dashboard

import (
	"crypto/subtle"
	"net"
	"net/http"
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
		case r.Host != s.listener.Addr().String():
			http.Error(w, "This address is not the dashboard's: open the one that cicd dashboard has printed.", http.StatusMisdirectedRequest)
		case crossOrigin.Check(r) != nil:
			http.Error(w, "Another site may not send this.", http.StatusForbidden)
		case r.Method == http.MethodGet && r.URL.Path == "/" && s.knows(r.URL.Query().Get("token")):
			http.SetCookie(w, &http.Cookie{Name: s.cookie(), Value: s.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
			http.Redirect(w, r, "/", http.StatusSeeOther) // so that the token is not in the address bar
		case !s.admits(r):
			http.Error(w, "Open the address that cicd dashboard has printed: it has a token.", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// cookie is the name of the cookie with the token. All ports of an address share their cookies.
func (s *Server) cookie() string {
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	return "cicd-" + port
}

func (s *Server) admits(r *http.Request) bool {
	cookie, err := r.Cookie(s.cookie())
	return err == nil && s.knows(cookie.Value)
}

func (s *Server) knows(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) == 1
}
