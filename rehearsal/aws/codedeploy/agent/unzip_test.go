package agent

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// zipEntry is an entry of an archive as another system may have written it.
type zipEntry struct {
	name, text string
	mode       uint32 // of Unix, with the type; 0 for none
	attributes uint32 // of MS-DOS
}

func archive(t *testing.T, change func([]byte) []byte, entries ...zipEntry) Revision {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, CreatorVersion: 3 << 8, ExternalAttrs: e.mode << 16}
		if e.mode == 0 {
			h.CreatorVersion, h.ExternalAttrs = 0, e.attributes
		}
		f, err := w.CreateHeader(h)
		if err == nil && !strings.HasSuffix(e.name, "/") {
			_, err = io.WriteString(f, e.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	content := change(out.Bytes())
	return Revision{BundleType: "zip", Open: func(context.Context) (io.ReadCloser, string, error) {
		return io.NopCloser(bytes.NewReader(content)), "", nil
	}}
}

// What the agent 1.8.1 itself, with unzip 6.00 and rubyzip 1.3.0, makes of these.
func TestUnzip(t *testing.T) {
	same := func(b []byte) []byte { return b }
	const file = 0o100644
	tests := []struct {
		name    string
		entries []zipEntry
		change  func([]byte) []byte
		want    string // of tree; the failure's message if it begins with "!"
	}{
		{"leads outside", []zipEntry{{"../x", "1", file, 0}, {"d/../../y", "2", file, 0}}, same, "d/, d/y 644 2, x 644 1"},
		{"absolute", []zipEntry{{"/etc/x", "1", file, 0}}, same, "etc/, etc/x 644 1"},
		{"dot", []zipEntry{{".", "1", file, 0}, {"./a/./b", "2", file, 0}}, same, "_ 644 1, a/, a/b 644 2"},
		{"control characters", []zipEntry{{"a\nb\x7f", "1", file, 0}}, same, "ab 644 1"},
		{"wrong checksum", []zipEntry{{"x", "stored", file, 0}},
			func(b []byte) []byte { return bytes.Replace(b, []byte("stored"), []byte("broken"), 1) }, "x 644 broken"},
		{"modes", []zipEntry{{"none", "", 0o100000, 0}, {"setuid", "", 0o104755, 0}, {"fifo", "", 0o010600, 0}, {"d/", "", 0o040700, 0}, {"readonly", "", 0, 1}},
			same, "d/, fifo 600 , none 0 , readonly 444 , setuid 755 "},
		{"twice", []zipEntry{{"x", "1", file, 0}, {"x", "2", file, 0}}, same, "x 644 2"},
		{"link over file", []zipEntry{{"y", "1", file, 0}, {"x", "1", file, 0}, {"x", "y", 0o120777, 0}}, same, "x -> y, y 644 1"},
		{"below a file", []zipEntry{{"x", "1", file, 0}, {"x/y", "2", file, 0}}, same, "!File exists @ dir_s_mkdir - "},
		{"file on folder", []zipEntry{{"x/y", "2", file, 0}, {"x", "1", file, 0}}, same, "!The disk is (or was) full during extraction."},
		{"no zip", nil, func([]byte) []byte { return []byte("not an archive at all") }, "!Zip end of central directory signature not found"},
		{"nothing", nil, func([]byte) []byte { return nil }, "!File "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			d := deployment(t, deploymentID(1), nil)
			d.Revision = archive(t, tt.change, tt.entries...)
			err := h.Run(t.Context(), d, DownloadBundle, h.hear)
			if message, refused := strings.CutPrefix(tt.want, "!"); refused {
				if f := fails(t, err); !strings.HasPrefix(f.Message, message) {
					t.Errorf("message = %q, want %q", f.Message, message)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(h.DeploymentRoot, "g-1/"+deploymentID(1)+"/deployment-archive")
			if info, err := os.Stat(filepath.Join(dir, "d")); tt.name == "modes" && (err != nil || info.Mode().Perm() != 0o700) {
				t.Errorf("folder = %v, %v", info, err)
			}
			if got := tree(t, dir); got != tt.want {
				t.Errorf("unpacked %s\nwant     %s", got, tt.want)
			}
		})
	}
}
