package appspec

import (
	"strings"
	"testing"
	"unicode/utf16"
)

// What the agent 1.8.1 itself says of these (its application_specification.rb on Ruby 3.1, Psych 4 and libyaml 0.2.5).
func TestRubysWords(t *testing.T) {
	const start = header + "hooks: {ApplicationStart: [{location: a.sh"
	encoded := func(order ...int) string {
		var out strings.Builder
		for _, unit := range utf16.Encode([]rune("\ufeff" + header)) {
			for _, shift := range order {
				out.WriteByte(byte(unit >> shift))
			}
		}
		return out.String()
	}
	tests := []struct{ name, text, want string }{ // want is the message's beginning; "" for none
		{"byte order mark", "\ufeff" + header, "The deployment failed because the application specification file specifies an unsupported operating system ()."},
		{"byte order mark, os first", "\ufeffos: linux\nversion: 0.0\n", "The deployment failed because an invalid version value () was entered"},
		{"byte order mark and comment", "\ufeff# text\n" + header, ""},
		{"UTF-16, little endian", encoded(0, 8), "(<unknown>): invalid leading UTF-8 octet at line 1 column 1"},
		{"UTF-16, big endian", encoded(8, 0), "(<unknown>): invalid leading UTF-8 octet at line 1 column 1"},
		{"true", "true\n", "undefined method `[]' for true:TrueClass"},
		{"text with the word", "version\n", "The deployment failed because an invalid version value (version) was entered"},
		{"date", "2024-01-01\n", "Tried to load unspecified class: Date"},
		{"time", "version: 2024-01-01 10:00:00\n", "Tried to load unspecified class: Time"},
		{"YAML 1.2", "%YAML 1.2\n---\n" + header, ""},
		{"merge key", header + "hooks: {ApplicationStart: [{location: x.sh, <<: {location: a.sh, timeout: soon}}]}\n", "The deployment failed because an invalid timeout value"},
		{"empty mapping of scripts", header + "hooks: {ApplicationStart: {}}\n", ""},
		{"script is null", header + "hooks: {ApplicationStart: [~]}\n", "undefined method `has_key?' for nil:NilClass"},
		{"timeout of the wrong type", start + ", timeout: [1]}]}\n", "undefined method `to_i' for [1]:Array"},
		{"endless timeout", start + ", timeout: .inf}]}\n", "Infinity"},
		{"huge timeout", start + ", timeout: 99999999999999999999}]}\n", ""},
		{"files as a mapping", header + "files: {source: a, destination: /b}\n", "no implicit conversion of String into Integer"},
		{"source of the wrong type", header + "files: [{source: 1, destination: /b}]\n", ""}, // it fails when it is installed
		{"except of the wrong type", header + "permissions: [{object: /a, except: 5}]\n", "undefined method `each' for 5:Integer"},
		{"acl of the wrong type", header + "permissions: [{object: /a, acls: [~]}]\n", "undefined method `split' for nil:NilClass"},
		{"escapes", header + "os: [\"a#{b}\\e\\0\\u00e9\"]\n", "The deployment failed because the application specification file specifies an unsupported operating system ([\"a\\#{b}\\e\\u0000é\"])."},
	}
	for _, tt := range tests {
		_, err := Parse([]byte(tt.text))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
			t.Errorf("%s: error = %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestRubyFloat(t *testing.T) {
	for v, want := range map[float64]string{0: "0.0", 1.5: "1.5", 0.0001: "0.0001", 1.5e-5: "1.5e-05", 123456789012345: "123456789012345.0",
		1e15: "1.0e+15", 1.5e100: "1.5e+100", -1e20: "-1.0e+20"} {
		if got := rubyString(v); got != want {
			t.Errorf("%g: %s, want %s", v, got, want)
		}
	}
}
