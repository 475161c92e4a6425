package provider

import (
	"errors"
	"fmt"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// report collects everything that is wrong with one resource.
type report struct{ violations []violation }

// violation is one thing that AWS or the real provider would refuse, and the property that it is about ("" for none).
type violation struct{ path, reason string }

func (r *report) add(path, format string, args ...any) {
	r.violations = append(r.violations, violation{path, fmt.Sprintf(format, args...)})
}

// failures returns the violations as the engine wants them from Check.
func (r *report) failures() []*pulumirpc.CheckFailure {
	var failures []*pulumirpc.CheckFailure
	for _, v := range r.violations {
		// The property's path goes into the reason as well: the engine prints a reason, and seldom a property.
		failures = append(failures, &pulumirpc.CheckFailure{Property: v.path, Reason: v.String()})
	}
	return failures
}

// err returns the violations as one error, nil when there are none.
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
