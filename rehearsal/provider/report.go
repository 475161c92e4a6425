package provider

import (
	"errors"
	"fmt"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// report collects everything that is wrong with a resource.
type report struct{ violations []violation }

// violation is one thing that AWS or the real provider would reject, and the property it concerns ("" for none).
type violation struct{ path, reason string }

func (r *report) add(path, format string, args ...any) {
	r.violations = append(r.violations, violation{path, fmt.Sprintf(format, args...)})
}

// failures returns the violations in the form that Check returns.
func (r *report) failures() []*pulumirpc.CheckFailure {
	var failures []*pulumirpc.CheckFailure
	for _, v := range r.violations {
		// The reason includes the property's path, because the engine seldom prints the property.
		failures = append(failures, &pulumirpc.CheckFailure{Property: v.path, Reason: v.String()})
	}
	return failures
}

// err returns the violations as one error, or nil if there are none.
func (r *report) err() error {
	var errs []error
	for _, v := range r.violations {
		errs = append(errs, errors.New(v.String()))
	}
	return errors.Join(errs...)
}

func (v violation) String() string {
	if v.path == "" {
		return v.reason
	}
	return v.path + ": " + v.reason
}
