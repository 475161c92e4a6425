package world

import "testing"

func TestWithSettings(t *testing.T) {
	const before = "config:\n  aws:region: eu-central-1\n  cicd:approval: true\n  cicd:branch: main\n"
	after, err := withSettings([]byte(before), "cicd", map[string]any{"approval": nil, "processes": map[string]any{"worker": "run"}, "branch": "next"})
	if err != nil {
		t.Fatal(err)
	}
	const want = "config:\n  aws:region: eu-central-1\n  cicd:branch: next\n  cicd:processes:\n    worker: run\n"
	if got := normalized(t, string(after)); got != normalized(t, want) {
		t.Errorf("settings\n%s\nwant\n%s", got, want)
	}
	if _, err := withSettings([]byte("{}"), "cicd", nil); err == nil {
		t.Error("settings without config are taken")
	}
}
