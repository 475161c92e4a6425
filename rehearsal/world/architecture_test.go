package world

import (
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

// TestForeignArchitecture: a stack whose programs this machine cannot run is told as that, not as a failing test.
func TestForeignArchitecture(t *testing.T) {
	for _, tt := range []struct {
		declared, here string
		emulated, ok   bool
	}{
		{"LINUX_CONTAINER", "amd64", false, true},
		{"ARM_CONTAINER", "arm64", false, true},
		{"ARM_CONTAINER", "amd64", false, false},
		{"LINUX_CONTAINER", "arm64", false, false},
		{"ARM_CONTAINER", "amd64", true, true},
	} {
		acct := account.New(accountID)
		acct.Put(account.Resource{Type: account.Project, URN: "p", ID: "p", Properties: map[string]any{"environment": map[string]any{"type": tt.declared}}})
		err := checkArchitecture(acct, tt.here, func(string) bool { return tt.emulated })
		if (err == nil) != tt.ok || err != nil && !strings.Contains(err.Error(), "instanceType") {
			t.Errorf("%s on %s, emulated %t: %v", tt.declared, tt.here, tt.emulated, err)
		}
	}
}
