package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"cicd/internal/wholebody"
	"cicd/operations"
)

// newStack brings up a stack whose connection a person authorizes meanwhile. Its pipeline is the one that is there.
func (d day) newStack() {
	d.t.Helper()
	connection := ""
	list, _ := d.cicd(exitOK, "releases", "--json")
	for _, run := range decoded[struct{ Releases []operations.Run }](d.t, list).Releases {
		if run.Trigger == "WebhookV2" {
			connection = run.By
		}
	}
	declare := func([]string) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error {
			ctx.Export("connectionArn", pulumi.String(connection))
			ctx.Export("pipelineName", pulumi.String(map[string]string{"true": "cicd-dev"}[config.Get(ctx, "cicd:connectionAuthorized")]))
			return nil
		}
	}
	for name, value := range map[string]string{"PULUMI_BACKEND_URL": "file://" + d.t.TempDir(), "PULUMI_HOME": d.t.TempDir(), "PULUMI_CONFIG_PASSPHRASE": "test"} {
		d.t.Setenv(name, value)
	}
	asked := d.pendingFirst(3)
	up := func(wantCode int, typed string, args ...string) (stdout, stderr string) {
		var out, errOut bytes.Buffer
		c := cli{program: declare, check: anything, stdin: strings.NewReader(typed), interactive: typed != "", stdout: &out, stderr: &errOut}
		if code := c.run(d.t.Context(), append([]string{"up"}, args...)); code != wantCode {
			d.t.Errorf("up %v: exit code %d, want %d\n%s%s", args, code, wantCode, &out, &errOut)
		}
		return out.String(), errOut.String()
	}
	_, stderr := up(exitFailure, "no\n")
	d.wants(stderr, "1 to create", "Type yes to go on", `stack "dev" is unchanged: you typed "no"`)
	for _, args := range [][]string{{"--detach"}, {"--json"}} {
		if up(exitOK, "", args...); asked.Load() != 0 {
			d.t.Errorf("up %v waits for a person", args)
		}
	}
	out, stderr := up(exitOK, "yes\n", "--yes")
	d.wants(stderr, "codesuite/settings/connections?region=eu-central-1", "connection cicd-dev-eu-central-1", "Pulumi.dev.yaml says so now", "Pipeline cicd-dev releases")
	d.wants(out, "Stack dev serves ", " To approve.")
	if n := asked.Load(); n != 4 {
		d.t.Errorf("it asked %d times for the connection, want 4", n)
	}
	if text, err := os.ReadFile("Pulumi.dev.yaml"); err != nil || !strings.Contains(string(text), "connectionAuthorized: \"true\"") && !strings.Contains(string(text), "connectionAuthorized: true") {
		d.t.Errorf("%v; the settings do not remember it:\n%s", err, text)
	}
	if _, stderr := up(exitOK, "yes\n"); strings.Contains(stderr, "Type yes") || strings.Contains(stderr, "releases the branch") {
		d.t.Errorf("an up that changes nothing asks, or waits:\n%s", stderr)
	}
	d.drift(declare)
}

// pendingFirst answers the first questions for a connection with PENDING, and counts all of them.
func (d day) pendingFirst(n int32) *atomic.Int32 {
	d.t.Helper()
	asked := &atomic.Int32{}
	d.between(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetConnection") || asked.Add(1) > n {
			return false
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		fmt.Fprint(w, `{"Connection": {"ConnectionStatus": "PENDING"}}`)
		return true
	})
	return asked
}

// between puts something between cicd and the stand-ins that may answer instead of them.
func (d day) between(answers func(http.ResponseWriter, *http.Request) bool) {
	d.t.Helper()
	d.behind(func(proxy *httputil.ReverseProxy) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !answers(w, r) {
				proxy.ServeHTTP(w, r)
			}
		})
	})
}

// behind puts the stand-ins behind a handler, which has a proxy that leads to them.
func (d day) behind(front func(*httputil.ReverseProxy) http.Handler) {
	d.t.Helper()
	real, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	if err != nil {
		d.t.Fatal(err)
	}
	server := httptest.NewServer(wholebody.First(front(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = real.Scheme, real.Host // with the same Host, which is signed
	}})))
	d.t.Cleanup(server.Close)
	d.t.Setenv("AWS_ENDPOINT_URL", server.URL)
}

func decoded[T any](t *testing.T, text string) (value T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}
