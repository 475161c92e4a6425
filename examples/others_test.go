package examples

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"cicd/internal/edit"
)

// TestExpress: jobs are queued all the time, while releases replace the server and the worker. Each is done, once the last
// worker has caught up.
func TestExpress(t *testing.T) {
	needAll(t)
	e := rehearse(t, "express", node, "Dockerfile", map[string]string{"REDIS_URL": urlOf(t, "redis", "", redis, "")})
	v := e.visitor()
	var ids []string
	stop := repeat(t, func(i int) error {
		answer, err := v.post("/jobs", "application/json", fmt.Sprintf(`{"text":"%sthe last"}`, strings.Repeat("word ", i)), http.StatusAccepted)
		if err != nil {
			return err
		}
		var job struct{ ID string }
		err = json.Unmarshal([]byte(answer), &job)
		ids = append(ids, job.ID)
		return err
	})
	visitors := e.Visit(t.Context(), nil)
	for i := range 3 {
		e.release(fmt.Sprintf("Release %d", i+2), edit.Replace("server.js", "jobs wait", "jobs wait,"))
	}
	visits := visitors.Leave()
	count := stop()
	for i, id := range ids {
		want := fmt.Sprintf(`{"words":%d,`, i+2)
		got, err := v.get("/jobs/" + id)
		for deadline := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
			got, err = v.get("/jobs/" + id)
		}
		if err != nil || !strings.HasPrefix(got, want) {
			t.Fatalf("job %d of %d has the result %q, %v, want %s...", i, count, got, err, want)
		}
	}
	if visits.Failed > 0 || visits.Requests < 100 || count < 10 {
		t.Errorf("%s, and %d jobs were queued", visits, count)
	}
	t.Logf("3 releases: %s; %d jobs queued and done", visits, count)
}

// TestPHP: a visitor fills a basket across releases and a replaced host, and stays logged in.
func TestPHP(t *testing.T) {
	needAll(t)
	e := rehearse(t, "php", php, "Dockerfile", nil)
	v := e.visitor()
	add := func(i int) error {
		if _, err := v.post("/", "application/x-www-form-urlencoded", fmt.Sprintf("item=Item+%d", i), http.StatusSeeOther); err != nil {
			return err
		}
		page, err := v.get("/")
		if want := fmt.Sprintf("Your basket: %d<", i+1); err == nil && !strings.Contains(page, want) {
			err = fmt.Errorf("the page does not say %q: %.300s", want, page)
		}
		return err
	}
	stop := repeat(t, add)
	visitors := e.Visit(t.Context(), nil)
	change := func() edit.Edit { return edit.Replace("public/index.php", "Your basket", "<b></b>Your basket") }
	for i := range 3 {
		e.release(fmt.Sprintf("Release %d", i+2), change())
	}
	visits := visitors.Leave()
	count := stop()
	if visits.Failed > 0 || visits.Requests < 100 || count < 10 {
		t.Errorf("%s, and %d items were added", visits, count)
	}
	e.replaceHost(change())
	if err := add(count); err != nil {
		t.Error(err)
	}
	t.Logf("3 releases and a new host: %s; %d items in the basket", visits, count+1)
}

// TestMonorepo: the repository has nothing of this project's. Only the shop's files start a release of the shop, and one whose
// tests fail is none.
func TestMonorepo(t *testing.T) {
	needAll(t)
	e := rehearse(t, "monorepo", golang, "services/shop/Dockerfile", nil)
	v := e.visitor()
	visitors := e.Visit(t.Context(), nil)
	e.release("Tea is cheaper", edit.Replace("services/shop/prices.go", "450", "430"), edit.Replace("services/shop/prices_test.go", "4.50", "4.30"))
	if price, err := v.get("/price/tea"); err != nil || price != "4.30 EUR\n" {
		t.Errorf("tea costs %q, %v", price, err)
	}
	e.refuses("Tea is free, and no test knows it", "docker build failed", edit.Replace("services/shop/prices.go", "430", "0"))
	for file, want := range map[string]bool{"services/newsletter/README.md": false, "services/shop/prices.go": true} {
		if watched, err := e.Watches(file); err != nil || watched != want {
			t.Errorf("%s starts a release: %t, %v", file, watched, err)
		}
	}
	visits := visitors.Leave()
	if visits.Failed > 0 || visits.Requests < 100 {
		t.Error(visits)
	}
	t.Logf("2 releases, one of them refused: %s", visits)
}
