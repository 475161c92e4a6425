package dashboard

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"cicd/operations"
)

// opened is a dashboard without a pipeline, for requests that it must not pass on.
func opened(t *testing.T) *Server {
	t.Helper()
	s, err := Listen("dev", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(t.Context()) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil { // the context has ended
			t.Error(err)
		}
	})
	return s
}

// TestGuard: nobody gets in without the token, under another name, or from another site.
func TestGuard(t *testing.T) {
	s := opened(t)
	base, _, _ := strings.Cut(s.URL(), "/?")
	cookie := &http.Cookie{Name: cookieName, Value: s.token}
	for _, tt := range []struct {
		name, method, path string
		change             func(*http.Request)
		want               int
	}{
		{"no token", "GET", "/", nil, http.StatusForbidden},
		{"another token", "GET", "/?token=x", nil, http.StatusForbidden},
		{"no token for a file", "GET", "/files/style.css", nil, http.StatusForbidden},
		{"the token elsewhere", "GET", "/live?of=/&token=" + s.token, nil, http.StatusForbidden},
		{"another cookie", "GET", "/", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: cookieName, Value: "x"}) }, http.StatusForbidden},
		{"the token", "GET", "/?token=" + s.token, nil, http.StatusSeeOther},
		{"the cookie", "GET", "/files/style.css", func(r *http.Request) { r.AddCookie(cookie) }, http.StatusOK},
		{"another host", "GET", "/files/style.css", func(r *http.Request) { r.AddCookie(cookie); r.Host = "dashboard.example.com" }, http.StatusMisdirectedRequest},
		{"another site", "POST", "/do/release", func(r *http.Request) { r.AddCookie(cookie); r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		{"another origin", "POST", "/do/release", func(r *http.Request) { r.AddCookie(cookie); r.Header.Set("Origin", "http://127.0.0.1:1") }, http.StatusForbidden},
		{"another path", "GET", "/", func(r *http.Request) { r.AddCookie(cookie); r.URL.Path = "/files/style.css" }, http.StatusNotFound},
		{"a form by GET", "GET", "/do/release", func(r *http.Request) { r.AddCookie(cookie) }, http.StatusMethodNotAllowed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), tt.method, base+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.change != nil {
				tt.change(request)
			}
			response, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != tt.want {
				t.Errorf("%s, want %d", response.Status, tt.want)
			}
			if got := response.Header.Get("Content-Security-Policy"); got != policy {
				t.Errorf("policy %q", got)
			}
		})
	}
}

// TestTokenIsTaken: the token ends up in a cookie that scripts and other sites do not get, and not in the address.
func TestTokenIsTaken(t *testing.T) {
	s := opened(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Get(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	set := response.Header.Get("Set-Cookie")
	if to := response.Header.Get("Location"); to != s.base || !strings.Contains(set, "HttpOnly") || !strings.Contains(set, "SameSite=Strict") {
		t.Errorf("it leads to %q with the cookie %q", to, set)
	}
	at, err := url.Parse(s.URL())
	if err != nil || len(jar.Cookies(at)) != 1 {
		t.Errorf("%v, cookies %v", err, jar.Cookies(at))
	}
	// Cookies know no ports.
	if got := jar.Cookies(&url.URL{Scheme: "http", Host: "127.0.0.1:1", Path: "/"}); len(got) != 0 {
		t.Errorf("another server of this machine gets %v", got)
	}
}

// TestTextIsPlain: a log or a commit's message can neither leave its place in a page nor control the stream.
func TestTextIsPlain(t *testing.T) {
	s := opened(t)
	hostile := "10%\r20%\r\n\x1b[31mred\x1b[0m\revent: x <script>alert(1)</script>"
	log, err := s.render("log", struct {
		Title string
		logRead
	}{"A log", logRead{Lines: []string{hostile}, Err: hostile}})
	if err != nil {
		t.Fatal(err)
	}
	page, err := s.render("overview", overview{state: state{Known: true, Err: hostile, CauseErr: hostile,
		Runs: []operations.Run{{Commit: "4f2a1c9", Subject: hostile}}, Cause: &operations.Cause{Where: []operations.Place{{Message: hostile, Log: []string{hostile}}}}},
		Bars: []bar{{}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, html := range []string{string(log), string(page)} {
		if strings.ContainsAny(html, "\r\x1b") || strings.Contains(html, "<script") || !strings.Contains(html, "event: x &lt;script&gt;") {
			t.Errorf("it is passed on as it is:\n%q", html)
		}
	}
}

// TestParked: a parked stack serves nothing, whatever was deployed last.
func TestParked(t *testing.T) {
	s := opened(t)
	for parked, want := range map[bool]string{true: "Parked: nothing is served", false: "Serves <code>4f2a1c9</code>"} {
		page, err := s.render("overview", overview{state: state{Known: true, Parked: parked, Serving: &operations.Run{Commit: "4f2a1c9"}}})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), want) || strings.Contains(string(page), "Serves") == parked {
			t.Errorf("parked: %t, want %q in\n%s", parked, want, page)
		}
	}
}
