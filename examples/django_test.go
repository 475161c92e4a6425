package examples

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"testing"

	"cicd/internal/edit"
)

// TestDjango: photos are uploaded all the time, while releases come and go, one with a migration and one with a migration that
// fails; then the host is replaced. No request is lost, and no byte of any photo.
func TestDjango(t *testing.T) {
	need(t)
	e := rehearse(t, "django", python, "Dockerfile", map[string]string{
		"DATABASE_URL": urlOf(t, "postgres", "app", postgres, "postgres"), "SECRET_KEY": rand.Text(),
	})
	releases := 2
	if all() {
		releases = 20
	}
	page := func(i int) edit.Edit {
		return edit.Replace("photos/templates/index.html", "</h1>", fmt.Sprintf("</h1>\n<p>Release %d</p>", i))
	}
	uploads := uploads{visitor: e.visitor(), bodies: map[string][]byte{}}
	stop := repeat(t, uploads.upload)
	visitors := e.Visit(t.Context(), nil)
	e.release("A migration", edit.Write("photos/migrations/0002_place.py", migration("0001_initial", "ALTER TABLE photos_photo ADD COLUMN place text")), page(1))
	e.refuses("A migration that fails", "release command", edit.Write("photos/migrations/0003_broken.py", migration("0002_place", "SELECT 1/0")))
	for i := 2; i <= releases; i++ {
		e.release(fmt.Sprintf("Release %d", i), page(i))
	}
	visits := visitors.Leave()
	count := stop()
	if visits.Failed > 0 || visits.Requests < 100 || count < 10 {
		t.Errorf("%s, and %d photos were uploaded", visits, count)
	}
	e.replaceHost(page(releases + 1))
	bytes := uploads.check(t)
	t.Logf("%d releases: %s; %d photos of %d bytes uploaded, and there on a new host", releases, visits, count, bytes)
}

// migration is a file with one statement of SQL, to follow another one.
func migration(previous, sql string) string {
	return fmt.Sprintf(`from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("photos", %q)]
    operations = [migrations.RunSQL(%q, migrations.RunSQL.noop)]
`, previous, sql)
}

// uploads remembers what it has uploaded, by path.
type uploads struct {
	visitor
	bodies map[string][]byte
}

// upload uploads one file of some kilobytes, through the page's form.
func (u *uploads) upload(i int) error {
	if i == 0 { // the form's page sets the cookie that a POST needs
		if _, err := u.get("/"); err != nil {
			return err
		}
	}
	content := make([]byte, 1000+i%7*9000)
	_, _ = rand.Read(content) // never fails
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", "photo.jpg")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err := errors.Join(err, form.WriteField("title", fmt.Sprint("Photo ", i)), form.Close()); err != nil {
		return err
	}
	answer, err := u.post("/", form.FormDataContentType(), body.String(), http.StatusCreated)
	if err != nil {
		return err
	}
	var photo struct{ URL string }
	if err := json.Unmarshal([]byte(answer), &photo); err != nil {
		return err
	}
	u.bodies[photo.URL] = content
	return nil
}

// check downloads everything, and returns the number of bytes.
func (u *uploads) check(t *testing.T) (total int) {
	t.Helper()
	for path, want := range u.bodies {
		got, err := u.get(path)
		if err != nil || got != string(want) {
			t.Errorf("%s has %d bytes that are not the %d uploaded ones: %v", path, len(got), len(want), err)
		}
		total += len(got)
	}
	return total
}
