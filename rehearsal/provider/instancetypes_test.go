package provider

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
		if got := architectureOf(instanceType); got != want {
			t.Errorf("architecture of %q = %q, want %q", instanceType, got, want)
		}
	}
	if n := len(typesMatching(nil)); n < 1400 {
		t.Errorf("%d instance types, want EC2's list", n)
	}
}

// A type that the list does not have may be newer than it: the answer says whose list it is.
func TestUnknownInstanceType(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("host")
	e := exampleNamed(t, "host")
	_, err := w.declare(e.token, e.name, with(t, w.inputs(e), "instanceType", "m99i.large"))
	if err == nil || !strings.Contains(err.Error(), "the rehearsal has EC2's list of "+listDate) || !strings.Contains(instanceTypeList, listDate) {
		t.Errorf("error = %v, want one that says whose list has no such type", err)
	}
}
