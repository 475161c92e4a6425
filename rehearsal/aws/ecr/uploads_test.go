package ecr

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestInterruptedPullContinues(t *testing.T) {
	f := newFixture(t)
	layer := bytes.Repeat([]byte("0123456789"), 10)
	f.upload(t, "web", layer)
	answer, body := f.do(t, "GET", "/v2/web/blobs/"+sha(layer), nil, "Range", "bytes=95-")
	if answer.StatusCode != http.StatusPartialContent || body != "56789" {
		t.Errorf("got %d %q, want the last 5 bytes", answer.StatusCode, body)
	}
}

func (f *fixture) upload(t *testing.T, repository string, layer []byte) {
	t.Helper()
	started, _ := f.do(t, "POST", "/v2/"+repository+"/blobs/uploads/", nil)
	location := started.Header.Get("Location")
	half := len(layer) / 2
	if answer, body := f.do(t, "PATCH", location, bytes.NewReader(layer[:half])); answer.StatusCode != 202 {
		t.Fatalf("PATCH: %d %s", answer.StatusCode, body)
	}
	if answer, body := f.do(t, "PUT", location+"?digest="+sha(layer), bytes.NewReader(layer[half:])); answer.StatusCode != 201 {
		t.Fatalf("PUT: %d %s", answer.StatusCode, body)
	}
}

// An upload that is cut short, or differs from what its client says, leaves no layer or file.
func TestBadUploadsLeaveNothing(t *testing.T) {
	f := newFixture(t)
	layer := []byte("layer")
	tests := []struct {
		name string
		end  func(t *testing.T, location string)
	}{
		{"wrong digest", func(t *testing.T, location string) {
			answer, body := f.do(t, "PUT", location+"?digest="+sha([]byte("other")), bytes.NewReader(layer))
			if answer.StatusCode != 400 || !strings.Contains(body, "DIGEST_INVALID") {
				t.Errorf("got %d %s, want 400 DIGEST_INVALID", answer.StatusCode, body)
			}
		}},
		{"part that breaks off", func(t *testing.T, location string) {
			r, err := http.NewRequest("PATCH", f.url+location, io.MultiReader(bytes.NewReader(layer), brokenReader{}))
			if err != nil {
				t.Fatal(err)
			}
			r.SetBasicAuth("AWS", f.password)
			if answer, err := http.DefaultClient.Do(r); err == nil {
				answer.Body.Close()
				t.Error("the broken request got an answer")
			}
		}},
		{"part that leaves a gap", func(t *testing.T, location string) {
			answer, body := f.do(t, "PATCH", location, bytes.NewReader(layer), "Content-Range", "3-7")
			if answer.StatusCode != 416 {
				t.Errorf("got %d %s, want 416", answer.StatusCode, body)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			started, _ := f.do(t, "POST", "/v2/web/blobs/uploads/", nil)
			tt.end(t, started.Header.Get("Location"))
			if answer, _ := f.do(t, "HEAD", "/v2/web/blobs/"+sha(layer), nil); answer.StatusCode != 404 {
				t.Errorf("HEAD of the layer: %d, want 404", answer.StatusCode)
			}
			waitFor(t, "an empty folder", func() bool { return len(files(t, f.dir)) == 0 })
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("the client breaks off") }

// waitFor allows five seconds: the server may take a while to notice a broken connection.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("no %s within 5 s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A layer of 64 MiB is streamed in both directions, without being held in memory.
func TestLayersAreStreamed(t *testing.T) {
	const size, limit = 64 << 20, 16 << 20
	f := newFixture(t)
	hash := sha256.New()
	io.CopyN(hash, zeros{}, size)
	digest := fmt.Sprintf("sha256:%x", hash.Sum(nil))

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	started, _ := f.do(t, "POST", "/v2/web/blobs/uploads/", nil)
	location := started.Header.Get("Location")
	if answer, body := f.do(t, "PATCH", location, io.LimitReader(zeros{}, size)); answer.StatusCode != 202 {
		t.Fatalf("PATCH: %d %s", answer.StatusCode, body)
	}
	if answer, body := f.do(t, "PUT", location+"?digest="+digest, nil); answer.StatusCode != 201 {
		t.Fatalf("PUT: %d %s", answer.StatusCode, body)
	}
	r, err := http.NewRequest("GET", f.url+"/v2/web/blobs/"+digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("AWS", f.password)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if n, err := io.Copy(io.Discard, answer.Body); n != size || err != nil {
		t.Errorf("read %d bytes, %v, want %d", n, err, size)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > limit {
		t.Errorf("%d bytes allocated for a layer of %d, want at most %d", got, size, limit)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
