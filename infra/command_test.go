package infra

import (
	"slices"
	"testing"
)

// TestSplitCommand: words as a POSIX shell splits them.
func TestSplitCommand(t *testing.T) {
	tests := []struct {
		command string
		want    []string
	}{
		{"", nil},
		{"bin/rails db:migrate", []string{"bin/rails", "db:migrate"}},
		{"  a \t b  ", []string{"a", "b"}},
		{`sh -c 'a && b | c > "$D"'`, []string{"sh", "-c", `a && b | c > "$D"`}},
		{`a "b c" d\ e f"g 'h'"i`, []string{"a", "b c", "d e", "fg 'h'i"}},
		{`a "\$B \" \\ \n" '\n'`, []string{"a", `$B " \ \n`, `\n`}},
		{`a \| \$B \; ''`, []string{"a", "|", "$B", ";", ""}},
		{"a 'two\nlines'", []string{"a", "two\nlines"}},
		{"A=b c #d *.e ~ {f,g} é", []string{"A=b", "c", "#d", "*.e", "~", "{f,g}", "é"}},
	}
	for _, tt := range tests {
		got, problem := splitCommand(tt.command)
		if problem != "" || !slices.Equal(got, tt.want) {
			t.Errorf("splitCommand(%q) = %q, %q, want %q", tt.command, got, problem, tt.want)
		}
	}
}
