package nearest

import "testing"

func TestWord(t *testing.T) {
	known := []string{"files", "hooks", "permissions", "version"}
	tests := []struct{ word, want string }{
		{"hook", "hooks"},
		{"HOOKS", "hooks"},
		{"permision", "permissions"},
		{"file_exists", ""},
		{"fiXXs", "files"},
		{"fXXXs", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got := Word(tt.word, known); got != tt.want {
			t.Errorf("Word(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
}
