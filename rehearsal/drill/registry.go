package drill

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cicd/internal/edit"
)

// registryDrills are about ECR.
var registryDrills = []Drill{
	{
		Name:   "login-expired",
		Breaks: "the host's last login to ECR was 13 hours ago",
		Holds:  "the release succeeds: it logs in itself, and forgets the login",
		Rows:   []int{20},
		run:    expiredLogin,
	},
	{
		Name:   "registry-away",
		Breaks: "ECR answers 503 to the first two pulls, then is back",
		Holds:  "the release succeeds on the third try",
		run:    registryAway,
	},
	{
		Name:   "registry-down",
		Breaks: "ECR answers 503 from the pull on, even during the rollback",
		Holds:  "the release fails after some tries and says so; once ECR is back, releases succeed",
		run:    registryDown,
	},
	{
		Name:   "push-refused",
		Breaks: "ECR rejects the image because the repository is full",
		Holds:  "nothing is released; the message has ECR's reason",
		run:    pushRefused,
	},
}

// isPull tells a host's request for an image, by digest, from a build's requests.
func isPull(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.URL.Path, "/manifests/sha256:")
}

// expiredLogin leaves a login on the host that is 13 hours old when the release begins.
func expiredLogin(ctx context.Context, g *drillEnv) error {
	h, err := g.Host()
	if err != nil {
		return err
	}
	session, err := h.Session()
	if err != nil {
		return err
	}
	password, _ := g.Registry().IssueToken(session)
	const user = "AWS"
	config := filepath.Join(h.Home, ".docker", "config.json")
	login := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, g.Workspace.Registry, base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	if err := errors.Join(os.MkdirAll(filepath.Dir(config), 0o700), os.WriteFile(config, []byte(login), 0o600)); err != nil {
		return err
	}
	defer os.RemoveAll(filepath.Dir(config))
	g.RegistryFaults().Advance(13 * time.Hour)
	defer g.RegistryFaults().Advance(0)
	answer, err := tryLogin(ctx, g.Workspace.Registry, user, password)
	if err != nil {
		return err
	}
	if !strings.Contains(answer, "token has expired") {
		return fmt.Errorf("the login of 13 hours ago should have expired, but the registry answers %q", answer)
	}
	if _, err := g.releases(ctx, "Half a day later", g.harmless(ctx, "half a day")); err != nil {
		return err
	}
	after, err := os.ReadFile(config)
	if err == nil && string(after) != login {
		err = fmt.Errorf("the release changed the host's Docker config to %s", after)
	}
	return err
}

// tryLogin returns the registry's answer to a login.
func tryLogin(ctx context.Context, registry, user, password string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+registry+"/v2/", nil)
	if err != nil {
		return "", err
	}
	request.SetBasicAuth(user, password)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// newImage replaces the application by one whose image no other release or rehearsal on this machine has: Docker pulls
// nothing that it has, and an image need not contain a harmless change.
func (g *drillEnv) newImage(name string) edit.Edit {
	return misbehaving("version " + name + " in " + g.Workspace.Name)
}

func unavailable(w http.ResponseWriter) bool {
	http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
	return true
}

func registryAway(ctx context.Context, g *drillEnv) error {
	tries := 0
	g.RegistryFaults().Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if !isPull(r) {
			return false
		}
		tries++
		return tries <= 2 && unavailable(w)
	})
	_, err := g.releases(ctx, "While ECR is away for a moment", g.newImage("away"))
	g.RegistryFaults().Intercept(nil)
	if tries < 3 {
		err = errors.Join(err, fmt.Errorf("the host asked %d times for the image, so ECR was not away", tries))
	}
	return err
}

func registryDown(ctx context.Context, g *drillEnv) error {
	down := false
	g.RegistryFaults().Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		down = down || isPull(r)
		return down && unavailable(w)
	})
	defer g.RegistryFaults().Intercept(nil)
	return g.refuses(ctx, []edit.Edit{g.newImage("down")},
		"stage Deploy", "BeforeInstall", "cannot be pulled", "503 Service Unavailable", "release again", "the rollback failed too")
}

// pushRefused makes the registry reject the manifest as ECR does when the quota "Images per repository" is used up (ECR
// API reference, PutImage: LimitExceededException).
func pushRefused(ctx context.Context, g *drillEnv) error {
	const full = "the repository already has the maximum allowed number of images"
	g.RegistryFaults().Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/manifests/") {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"errors":[{"code":"DENIED","message":%q}]}`, full)
		return true
	})
	defer g.RegistryFaults().Intercept(nil)
	return g.refuses(ctx, []edit.Edit{g.newImage("never-seen")}, "stage Build", "is not in ECR", full)
}
