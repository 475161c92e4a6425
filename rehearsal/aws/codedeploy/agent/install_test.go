package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// tree lists what is below dir: path, mode, and content or target.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var lines []string
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		switch {
		case info.IsDir():
			name += "/"
		case info.Mode()&os.ModeSymlink != 0:
			target, _ := os.Readlink(path)
			name += " -> " + target
		default:
			name += fmt.Sprintf(" %o %s", info.Mode().Perm(), read(t, path))
		}
		lines = append(lines, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, ", ")
}

const installAll = header + "files: [{source: /conf, destination: /opt/app/conf}, {source: bin/run, destination: /opt/app}]\n"

func TestInstallAndCleanup(t *testing.T) {
	h := newHost(t)
	first := files{"appspec.yml": installAll, "conf/a": "1", "conf/sub/b": "2", "bin/run": "x"}
	if err := h.run(deployment(t, deploymentID(1), first)); err != nil {
		t.Fatal(err)
	}
	if got, want := tree(t, h.Root), "opt/, opt/app/, opt/app/conf/, opt/app/conf/a 644 1, opt/app/conf/sub/, opt/app/conf/sub/b 644 2, opt/app/run 644 x"; got != want {
		t.Errorf("installed %s\nwant      %s", got, want)
	}
	cleanup := filepath.Join(h.DeploymentRoot, "deployment-instructions/g-1-cleanup")
	listed := strings.Fields(read(t, cleanup))
	slices.Sort(listed) // a directory's entries come in the file system's order
	if want := strings.Fields("/opt /opt/app /opt/app/conf /opt/app/conf/a /opt/app/conf/sub /opt/app/conf/sub/b /opt/app/run"); !slices.Equal(listed, want) {
		t.Errorf("cleanup file has %q, want %q", listed, want)
	}
	record := read(t, filepath.Join(h.DeploymentRoot, "deployment-instructions/g-1-install.json"))
	if want := `{"instructions":[{"type":"mkdir","directory":"/opt"},{"type":"mkdir","directory":"/opt/app"},`; !strings.HasPrefix(record, want) {
		t.Errorf("install.json = %s", record)
	}
	// The second Install removes what the first created; what the host has added stays, with its directories.
	if err := os.WriteFile(filepath.Join(h.Root, "opt/app/conf/sub/data"), []byte("d"), 0o644); err != nil {
		t.Fatal(err)
	}
	second := files{"appspec.yml": installAll, "conf/c": "3", "bin/run": "y"}
	if err := h.run(deployment(t, deploymentID(2), second)); err != nil {
		t.Fatal(err)
	}
	if got, want := tree(t, h.Root), "opt/, opt/app/, opt/app/conf/, opt/app/conf/c 644 3, opt/app/conf/sub/, opt/app/conf/sub/data 644 d, opt/app/run 644 y"; got != want {
		t.Errorf("installed %s\nwant      %s", got, want)
	}
}

// What a revision created is removed with it, innermost first.
func TestCleanupOfEverything(t *testing.T) {
	h := newHost(t)
	if err := h.run(deployment(t, deploymentID(1), files{"appspec.yml": installAll, "conf/sub/a": "1", "bin/run": "x"})); err != nil {
		t.Fatal(err)
	}
	if err := h.run(deployment(t, deploymentID(2), files{"appspec.yml": header})); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, h.Root); got != "" {
		t.Errorf("left: %s", got)
	}
}

func TestFileExistsBehavior(t *testing.T) {
	tests := []struct{ appspec, deployment, want, fails string }{
		{"", "", "", "The deployment failed because a specified file already exists at this location: /opt/app/run"},
		{"DISALLOW", "OVERWRITE", "", "already exists at this location"},
		{"OVERWRITE", "", "new", ""},
		{"", "overwrite", "new", ""},
		{"RETAIN", "OVERWRITE", "old", ""},
		{"", "KEEP", "", "an invalid option was specified for fileExistsBehavior: KEEP."},
	}
	for _, tt := range tests {
		t.Run(tt.appspec+" "+tt.deployment, func(t *testing.T) {
			h := newHost(t)
			existing := filepath.Join(h.Root, "opt/app/run")
			if err := os.MkdirAll(filepath.Dir(existing), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(existing, []byte("old"), 0o644); err != nil {
				t.Fatal(err)
			}
			spec := header + "files: [{source: bin, destination: /opt/app}]\n"
			if tt.appspec != "" {
				spec += "file_exists_behavior: " + tt.appspec + "\n"
			}
			d := deployment(t, deploymentID(1), files{"appspec.yml": spec, "bin/run": "new"})
			d.FileExistsBehavior = tt.deployment
			err := h.run(d)
			if tt.fails != "" {
				if f := fails(t, err); !strings.Contains(f.Message, tt.fails) {
					t.Errorf("message = %q, want %q", f.Message, tt.fails)
				}
				return
			}
			if got := read(t, existing); err != nil || got != tt.want {
				t.Errorf("content = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestInstallRefuses(t *testing.T) {
	tests := []struct{ name, spec, want string }{
		{"missing source", "files: [{source: none, destination: /opt}]", "No such file or directory @ rb_sysopen - "},
		{"two sources", "files: [{source: a, destination: /opt}, {source: sub/a, destination: /opt}]", "for the same destination (/opt/a)"},
		{"file on directory", "files: [{source: sub, destination: /opt/a}, {source: a, destination: /opt}]", "a file with that name already exists at the location (/opt/a)"},
		{"directory on file", "files: [{source: a, destination: /opt}, {source: sub, destination: /opt/a}]", "more than once for the same destination path (/opt/a)"},
		{"pattern on a file", "files: [{source: a, destination: /opt}]\npermissions: [{object: /opt/a, pattern: '*'}]", "an object (/opt/a) with an invalid pattern (*)"},
		{"except on a file", "files: [{source: a, destination: /opt}]\npermissions: [{object: /opt/a, except: [x]}]", `the permissions section (["x"]) for the object named /opt/a`},
		{"default acl on a file", "files: [{source: a, destination: /opt}]\npermissions: [{object: /opt/a, acls: ['d:u:root:rw']}]", "the -d parameter has been specified"},
		{"twice", "files: [{source: a, destination: /opt}]\npermissions: [{object: /opt/a, mode: 600}, {object: /opt, mode: 644}]", "setting for (/opt/a) is specified more than once"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			f := fails(t, h.run(deployment(t, deploymentID(1), files{"appspec.yml": header + tt.spec + "\n", "a": "1", "sub/a": "2", "sub/b": "3"})))
			if f.Code != UnknownError || !strings.Contains(f.Message, tt.want) {
				t.Errorf("failure = %d %q, want %q", f.Code, f.Message, tt.want)
			}
		})
	}
}

func TestPermissions(t *testing.T) {
	h := newHost(t)
	spec := header + `
files: [{source: bin, destination: /opt/app}]
permissions:
  - {object: /opt/app, pattern: "*.sh", except: [plain.sh], mode: 750, type: [file]}
  - {object: /opt/app, pattern: "lib", mode: "0700", type: [directory]}
  - {object: /opt/app/lib/x, mode: 4711}
  - {object: /elsewhere, mode: 600}
`
	d := deployment(t, deploymentID(1), files{"appspec.yml": spec, "bin/a.sh": "", "bin/plain.sh": "", "bin/lib/b.sh": "", "bin/lib/x": ""})
	if err := h.run(d); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uint32{"a.sh": 0o750, "plain.sh": 0o644, "lib": 0o700, "lib/b.sh": 0o644, "lib/x": 0o4711} {
		var stat syscall.Stat_t
		if err := syscall.Stat(filepath.Join(h.Root, "opt/app", name), &stat); err != nil || stat.Mode&0o7777 != want {
			t.Errorf("%s: mode %o, %v, want %o", name, stat.Mode&0o7777, err, want)
		}
	}
	if !strings.Contains(h.said(), "this deployment does not install /elsewhere") {
		t.Errorf("lines = %q", h.said())
	}
}

// What a folder cannot have is a warning there, and the agent's failure on the real host.
func TestOwnerOnSimulatedAndRealHost(t *testing.T) {
	spec := func(destination string) string {
		return fmt.Sprintf("%sfiles: [{source: a, destination: %s}]\npermissions: [{object: %s/a, owner: nobody-at-all}]\n", header, destination, destination)
	}
	simulated := newHost(t)
	if err := simulated.run(deployment(t, deploymentID(1), files{"appspec.yml": spec("/opt"), "a": ""})); err != nil {
		t.Error(err)
	}
	if !strings.Contains(simulated.said(), "can't find user for nobody-at-all") {
		t.Errorf("lines = %q", simulated.said())
	}
	real := newHost(t)
	real.Root = ""
	f := fails(t, real.run(deployment(t, deploymentID(1), files{"appspec.yml": spec(t.TempDir()), "a": ""})))
	if f.Message != "can't find user for nobody-at-all" {
		t.Errorf("message = %q", f.Message)
	}
}

// Links in the host's folder resolve within it, and copies of links stay links.
func TestRootHoldsEverything(t *testing.T) {
	h := newHost(t)
	outside := t.TempDir()
	for _, dir := range []string{"srv", outside} {
		if err := os.MkdirAll(filepath.Join(h.Root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(h.Root, "srv/opt")); err != nil {
		t.Fatal(err)
	}
	d := deployment(t, deploymentID(1), files{"appspec.yml": header + "files: [{source: conf, destination: /srv/../srv/opt/app}, {source: conf/a, destination: ../../up}]\n", "conf/a": "1", "conf/link": "-> /etc/hostname"})
	if err := h.run(d); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, outside); got != "" {
		t.Errorf("outside the root: %s", got)
	}
	if got, want := tree(t, filepath.Join(h.Root, outside)), "app/, app/a 644 1, app/link -> /etc/hostname"; got != want {
		t.Errorf("inside: %s, want %s", got, want)
	}
}
