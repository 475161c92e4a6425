package instancetypes

import (
	"strings"
	"testing"
)

func TestInstanceTypes(t *testing.T) {
	for instanceType, want := range map[string]string{
		"t3.micro": "x86_64", "t4g.micro": "arm64", "m7i-flex.large": "x86_64", "c8g.large": "arm64", "g5.xlarge": "x86_64",
		"g5g.xlarge": "arm64", "im4gn.large": "arm64", "p6e-gb200.36xlarge": "arm64", "c5.9xlarge": "x86_64",
		"c5.16xlarge": "", "t3.gigantic": "", "t3": "", "": "", "m5.nano": "",
	} {
		if got := Architecture(instanceType); got != want {
			t.Errorf("architecture of %q = %q, want %q", instanceType, got, want)
		}
	}
	if n := len(All()); n < 1400 {
		t.Errorf("%d instance types, want EC2's list", n)
	}
	if !strings.Contains(instanceTypeList, ListDate) {
		t.Errorf("the list is not of %s", ListDate)
	}
}

// TestVCPUs: some that EC2's manual lists.
func TestVCPUs(t *testing.T) {
	for instanceType, want := range map[string]int{
		"t2.micro": 1, "t2.medium": 2, "t3.micro": 2, "t4g.small": 2, "t3.2xlarge": 8, "m7i.large": 2, "c5.xlarge": 4, "m5.24xlarge": 96,
		"m7g.medium": 1, "c5.metal": 0, "t9.small": 0,
	} {
		if got := VCPUs(instanceType); got != want {
			t.Errorf("%s has %d vCPUs, want %d", instanceType, got, want)
		}
	}
}
