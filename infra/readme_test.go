package infra

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReadme keeps the README's tables equal to the settings, with their defaults, and to the outputs.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-zA-Z:]+)` \\|([^|]*)\\|").FindAllStringSubmatch(string(text), -1) {
		if _, ok := got[row[1]]; !ok { // a later table, of outputs, repeats names
			got[row[1]] = strings.Trim(row[2], " `")
		}
	}
	want := map[string]string{"aws:region": "required", "repository": "required"}
	s := defaultSettings()
	for _, setting := range s.table() {
		value := reflect.ValueOf(setting.value).Elem().Interface()
		if _, ok := want[setting.key]; ok {
			continue
		}
		if text, ok := value.(string); ok {
			want[setting.key] = text
			continue
		}
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		want[setting.key] = string(raw)
	}
	for key, value := range want {
		if row, ok := got[key]; !ok || row != value {
			t.Errorf("the README says of config key %s: %q (there: %v), want %q", key, row, ok, value)
		}
	}

	program, err := os.ReadFile("outputs.go")
	if err != nil {
		t.Fatal(err)
	}
	var outputs []string
	for _, export := range regexp.MustCompile(`ctx\.Export\("(\w+)"`).FindAllStringSubmatch(string(program), -1) {
		outputs = append(outputs, export[1])
		if !strings.Contains(string(text), "`"+export[1]+"`") {
			t.Errorf("the README does not mention the output %s", export[1])
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok && !slices.Contains(outputs, key) {
			t.Errorf("the README has a row for %s, which is neither a config key nor an output", key)
		}
	}
}
