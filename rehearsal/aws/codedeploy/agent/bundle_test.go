package agent

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"
)

// zipped returns an archived bundle, with this mode for its hooks.
func zipped(t *testing.T, content files, hooks os.FileMode) Revision {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, text := range content {
		entry := &zip.FileHeader{Name: name}
		target, link := strings.CutPrefix(text, "-> ")
		switch {
		case link:
			text = target
			entry.SetMode(os.ModeSymlink | 0o777)
		case strings.HasPrefix(name, "hooks/"):
			entry.SetMode(hooks)
		default:
			entry.SetMode(0o644)
		}
		f, err := w.CreateHeader(entry)
		if err == nil {
			_, err = io.WriteString(f, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return Revision{BundleType: "zip", Open: func(context.Context) (io.ReadCloser, string, error) {
		return io.NopCloser(bytes.NewReader(out.Bytes())), "e1", nil
	}}
}

// zipDeployment returns a deployment of an archive in a bucket, whose hooks are not executable.
func zipDeployment(t *testing.T, content files) Deployment {
	d := deployment(t, deploymentID(1), nil)
	d.Revision = zipped(t, content, 0o644)
	d.Revision.Bucket, d.Revision.Key, d.Revision.ETag = "b", "k", `"e1"`
	return d
}

func TestZipBundle(t *testing.T) {
	tests := []struct {
		name    string
		content files
		change  func(*Deployment)
		want    string // failure; "" for none
	}{
		{"flat", files{"appspec.yml": hooksFor("ApplicationStart"), "hooks/say.sh": say("hi")}, nil, ""},
		{"in one folder", files{"x/appspec.yml": hooksFor("ApplicationStart"), "x/hooks/say.sh": say("hi")}, nil, ""},
		{"folder and more", files{"x/appspec.yml": header, "y": ""}, nil, "did not find an AppSpec file"},
		{"etag", files{"appspec.yml": header}, func(d *Deployment) { d.Revision.ETag = "e2" }, "Expected deployment artifact bundle etag e2 but was actually e1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			d := zipDeployment(t, tt.content)
			if tt.change != nil {
				tt.change(&d)
			}
			err := h.run(d)
			if tt.want != "" {
				if f := fails(t, err); !strings.Contains(f.Message, tt.want) {
					t.Errorf("message = %q, want %q", f.Message, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			// Zip entries without exec bit: the agent makes its hooks executable and says so.
			said := h.said()
			if !strings.Contains(said, "Script at specified location: hooks/say.sh is not executable.  Trying to make it executable.") ||
				!strings.Contains(said, "[stdout]hi ApplicationStart") {
				t.Errorf("lines = %q", said)
			}
		})
	}
}

func TestTarBundle(t *testing.T) {
	h := newHost(t)
	d := deployment(t, deploymentID(1), nil)
	d.Revision = Revision{BundleType: "tar", Open: func(context.Context) (io.ReadCloser, string, error) {
		return io.NopCloser(strings.NewReader("no tar")), "", nil
	}}
	if f := fails(t, h.run(d)); f.Message != "Error extracting tar archive: 2" {
		t.Errorf("message = %q", f.Message)
	}
}
