package appspec

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

const header = "version: 0.0\nos: linux\n"

func TestParse(t *testing.T) {
	root := "root"
	spec, err := Parse([]byte(header + `
file_exists_behavior: OVERWRITE
files:
  - {source: /, destination: /opt/app}
permissions:
  - object: /opt/app
    pattern: "*.sh"
    except: [secret.sh]
    type: [file]
    owner: app
    mode: 755
hooks:
  BeforeInstall:
  AfterInstall: []
  ApplicationStart:
    - {location: " hooks/start.sh ", timeout: "90s", runas: root, sudo: yes}
    - location: hooks/more.sh
`))
	if err != nil {
		t.Fatal(err)
	}
	want := AppSpec{
		FileExistsBehavior: "OVERWRITE",
		Files:              []File{{Source: "/", Destination: "/opt/app"}},
		Permissions: []Permission{{Object: "/opt/app", Pattern: "*.sh", Except: []any{"secret.sh"}, Types: []string{"file"},
			Owner: "app", Mode: "755"}},
		Events: []any{"AfterInstall", "ApplicationStart"},
		Hooks: map[string][]Script{"AfterInstall": nil, "ApplicationStart": {
			{Location: "hooks/start.sh", Timeout: 90 * time.Second, RunAs: &root, Sudo: true},
			{Location: "hooks/more.sh", Timeout: time.Hour},
		}},
	}
	if !reflect.DeepEqual(spec, want) {
		t.Errorf("Parse() =\n%+v, want\n%+v", spec, want)
	}
}

func TestParseVersion(t *testing.T) {
	for version, accepted := range map[string]bool{
		"0.0": true, "0": true, "0.00": true, "-0.0": true, "0x0": true, "!!float 0": true,
		`"0.0"`: false, "0.1": false, "1": false, "0.0.0": false, "0e0": false, "~": false, ":0": false,
	} {
		_, err := Parse([]byte("version: " + version + "\nos: linux\n"))
		if got := err == nil; got != accepted {
			t.Errorf("version: %s: accepted %v (%v), want %v", version, got, err, accepted)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "# nothing\n", "the application specification file was empty"},
		{"no mapping", "- a\n", "no implicit conversion of String into Integer"},
		{"plain text", "hello\n", "an invalid version value () was entered"},
		{"version", "version: 0.2\nos: linux\n", "invalid version value (0.2)"},
		{"os", "version: 0.0\nos: windows\n", "unsupported operating system (windows)"},
		{"os symbol", "version: 0.0\nos: :linux\n", "unsupported operating system (linux)"},
		{"alias", header + "a: &a 1\nfiles: *a\n", "Unknown alias"},
		{"date", header + "x: 2020-01-01\n", "unspecified class"},
		{"no location", header + "hooks: {BeforeInstall: [{timeout: 1}]}\n", "a script with no location value"},
		{"blank location", header + "hooks: {BeforeInstall: [{location: ' '}]}\n", "a script with no location value"},
		{"hook no list", header + "hooks: {BeforeInstall: {location: a}}\n", "undefined method `has_key?' for [\"location\", \"a\"]:Array"},
		{"hooks no mapping", header + "hooks: []\n", "undefined method `each_pair' for []:Array"},
		{"timeout 0", header + "hooks: {BeforeInstall: [{location: a, timeout: 0}]}\n", "an invalid timeout value"},
		{"timeout text", header + "hooks: {BeforeInstall: [{location: a, timeout: soon}]}\n", "an invalid timeout value"},
		{"no source", header + "files: [{destination: /a}]\n", "a destination file, but no source file"},
		{"no destination", header + "files: [{source: a}]\n", "only a source file (a)"},
		{"no object", header + "permissions: [{mode: 644}]\n", "no object value"},
		{"object type", header + "permissions: [{object: /a, type: [socket]}]\n", "not supported for permissions (socket)"},
		{"type no list", header + "permissions: [{object: /a, type: file}]\n", "undefined method `each' for \"file\":String"},
		{"octal mode", header + "permissions: [{object: /a, mode: 0755}]\n", "mode (493) in the application specification file contains an invalid character (9)"},
		{"long mode", header + "permissions: [{object: /a, mode: 12345}]\n", "the length of a permissions mode (12345)"},
		{"acl", header + "permissions: [{object: /a, acls: ['x:bob:rw']}]\n", "Invalid acl entry (x:bob:rw)"},
		{"base acl", header + "permissions: [{object: /a, acls: ['u::rw']}]\n", "Use mode to set the base acl entry (u::rw)"},
		{"acl character", header + "permissions: [{object: /a, acls: ['u:bob:rz']}]\n", "contains an invalid character (z)"},
		{"context", header + "permissions: [{object: /a, context: {name: u}}]\n", `invalid context type ({"name"=>"u"})`},
		{"range", header + "permissions: [{object: /a, context: {type: t, range: s3-s1}}]\n", "SELinux range specified (s3-s1)"},
		{"category", header + "permissions: [{object: /a, context: {type: t, range: 's0:c1024'}}]\n", "invalid category c1024"},
		{"behavior", header + "file_exists_behavior: overwrite\n", "an invalid file_exists_behavior value (overwrite)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse() error = %v, want one containing %q", err, tt.want)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	spec, err := Parse([]byte(header + `
permision: []
files: [{source: a, destination: /b, mode: 644}]
permissions: [{object: /b, mode: 0644, context: {type: t, user: u}}]
hooks:
  ApplicationStart: [{location: a, run_as: root, timout: 5}]
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`appspec line 4: the agent ignores the key "permision"; did you mean "permissions"?`,
		`appspec line 5: the agent ignores the key "mode" in files`,
		`appspec line 6: the agent ignores the key "user" in permissions: context`,
		`appspec line 6: mode 0644: YAML reads an unquoted number with a leading zero as octal, so the agent sees 420; write "0644"`,
		`appspec line 8: the agent ignores the key "run_as" in hooks: ApplicationStart; did you mean "runas"?`,
		`appspec line 8: the agent ignores the key "timout" in hooks: ApplicationStart; did you mean "timeout"?`,
	}
	if !reflect.DeepEqual(spec.Warnings, want) {
		t.Errorf("Warnings =\n%s\nwant\n%s", strings.Join(spec.Warnings, "\n"), strings.Join(want, "\n"))
	}
}

// Values as Ruby 3.1 with Psych 4.0.4 prints them.
func TestPlainScalars(t *testing.T) {
	for text, want := range map[string]any{
		"0755": int64(493), "0888": "0888", "1_000": int64(1000), "1,000": int64(1000), "12e3": "12e3", "1.5": 1.5, ".5": 0.5,
		"yes": true, "Off": false, "y": "y", "null": nil, "0b11": int64(3), "0xF": int64(15), "1:30": int64(5400),
		"190:20:30": int64(685230), "08": "08", "0o17": "0o17", "-012": int64(-10), "v1.2": "v1.2", ":on": symbol("on"), ".": ".",
	} {
		got, err := plain(text)
		if err != nil || got != want {
			t.Errorf("plain(%q) = %#v, %v, want %#v", text, got, err, want)
		}
	}
}

func TestMatches(t *testing.T) {
	tests := []struct {
		pattern, except, name string
		want                  bool
	}{
		{"**", "", "/opt/app/a/b", true},
		{"**", "", "/opt/app", false},
		{"**", "", "/opt/application/x", false},
		{"*", "", "/opt/app/a", true},
		{"*", "", "/opt/app/a/b", false},
		{"*.sh", "", "/opt/app/run.sh", true},
		{"*.sh", "", "/opt/app/run.sh.bak", false},
		{"a*c*e", "", "/opt/app/abcde", true},
		{"a*a", "", "/opt/app/a", false},
		{"**", "a*", "/opt/app/abc", false},
		{"**", "a*", "/opt/app/x/abc", true},
		{"?", "", "/opt/app/a", false},
	}
	for _, tt := range tests {
		p := Permission{Pattern: tt.pattern}
		if tt.except != "" {
			p.Except = []any{tt.except}
		}
		if got, err := p.Matches("/opt/app", tt.name); got != tt.want || err != nil {
			t.Errorf("pattern %q except %q: Matches(%q) = %v, want %v", tt.pattern, tt.except, tt.name, got, tt.want)
		}
	}
}

func TestACLComplete(t *testing.T) {
	acl, err := parseACL([]any{"u:bob:rw", "d:g:staff:r-x", "d:group::5"})
	if err != nil {
		t.Fatal(err)
	}
	acl.Complete("750")
	want := "user:bob:rw- default:group:staff:r-x default:group::r-x " +
		"user::rwx group::r-x other::--- mask::r-x default:user::rwx default:other::--- default:mask::r-x"
	if got := strings.Join(acl.Entries(), " "); got != want {
		t.Errorf("entries = %s\nwant      %s", got, want)
	}
}

func TestNormaliseRange(t *testing.T) {
	for in, want := range map[string]string{"s0": "s0", "s0-s3": "s0-s3", "s2-s2": "s2", "s0:c3,c1,c2,c7": "s0:c1.c3,c7", "s0-s1:c1.c4": "s0-s1:c1.c4"} {
		if got, err := normaliseRange(in); err != nil || got != want {
			t.Errorf("normaliseRange(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
}
