package provider

import (
	"strings"
	"testing"

	"cicd/rehearsal/aws/instancetypes"
)

// A type that the list does not have may be newer than it: the answer says whose list it is.
func TestUnknownInstanceType(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("host")
	e := exampleNamed(t, "host")
	_, err := w.declare(e.token, e.name, with(t, w.inputs(e), "instanceType", "m99i.large"))
	if err == nil || !strings.Contains(err.Error(), "the rehearsal has EC2's list of "+instancetypes.ListDate) {
		t.Errorf("error = %v, want one that says whose list has no such type", err)
	}
}
