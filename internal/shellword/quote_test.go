package shellword

import (
	"os/exec"
	"testing"
)

func TestQuote(t *testing.T) {
	for _, text := range []string{"", "plain/path.git", "HEAD:main", "a b", "a'b\"c $(touch owned) `touch owned` \\ \n$HOME *", "~", "#", "-n"} {
		out, err := exec.Command("sh", "-c", "printf '%s' "+Quote(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("sh makes %q of %q, %v", out, text, err)
		}
	}
	if got := Quote("git@host:path/file-1.0"); got != "git@host:path/file-1.0" {
		t.Errorf("Quote() = %s, want no quotes where none are needed", got)
	}
}
