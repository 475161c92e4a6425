package examples

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// visitor is a person with a browser, as far as cookies and forms go.
type visitor struct {
	client *http.Client
	url    string
}

func (e example) visitor() visitor {
	e.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		e.t.Fatal(err)
	}
	client := e.Client()
	client.Jar = jar
	return visitor{client: client, url: strings.TrimSuffix(e.AppURL(), "/")}
}

// cookie returns the value of a cookie, "" if there is none.
func (v visitor) cookie(name string) string {
	site, err := url.Parse(v.url)
	if err != nil {
		return ""
	}
	for _, c := range v.client.Jar.Cookies(site) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// get returns a page's body, or an error for any status but 200.
func (v visitor) get(path string) (string, error) {
	request, err := http.NewRequest(http.MethodGet, v.url+path, nil)
	if err != nil {
		return "", err
	}
	return v.send(request, http.StatusOK)
}

// post sends a body, and returns the answer's; any status but the wanted one is an error.
func (v visitor) post(path, contentType, body string, want int) (string, error) {
	request, err := http.NewRequest(http.MethodPost, v.url+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("X-CSRFToken", v.cookie("csrftoken"))
	return v.send(request, want)
}

func (v visitor) send(request *http.Request, want int) (string, error) {
	response, err := v.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != want {
		err = fmt.Errorf("%s %s: status %d, want %d: %.300s", request.Method, request.URL.Path, response.StatusCode, want, body)
	}
	return string(body), err
}

// actionInterval is the time between two actions of a busy visitor.
const actionInterval = 50 * time.Millisecond

// repeat does something again and again until stop is called, which returns how often. Each failure fails the test.
func repeat(t *testing.T, do func(i int) error) (stop func() int) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() {
		ticker := time.NewTicker(actionInterval)
		defer ticker.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				done <- i
				return
			case <-ticker.C:
				if err := do(i); err != nil {
					t.Errorf("action %d: %v", i, err)
				}
			}
		}
	}()
	return func() int {
		cancel()
		return <-done
	}
}
