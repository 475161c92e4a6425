package provider

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// autoname is how Pulumi names resources of a type: logical name, a dash, seven hexadecimal digits. Source:
// pulumi-terraform-bridge, pkg/tfbridge/info/autonaming.go.
type autoname struct {
	property string
	max      int // characters
}

const randomDigits = 7

// defaulted is the input in which the bridge lists the properties that it filled in. It distinguishes a generated
// name, which a replacement may not keep, from one the program chose.
const defaulted = "__defaults"

// apply fills in a missing name in news: the generated name in olds, else a new one.
func (a *autoname) apply(news, olds values, logicalName string, seed []byte, r *report) {
	if news.has(a.property) {
		return
	}
	if a.generated(olds) {
		news[a.property] = olds[a.property]
	} else {
		name, err := resource.NewUniqueName(seed, logicalName+"-", randomDigits, a.max, nil)
		if err != nil {
			r.add(a.property, "autonaming: %v; use a shorter logical name", err)
			return
		}
		news[a.property] = name
	}
	news[defaulted] = []any{a.property}
}

// generated reports whether the name in inputs was generated.
func (a *autoname) generated(inputs values) bool {
	return inputs.has(a.property) && slices.Contains(inputs.texts(defaulted), a.property)
}

// needsOldName reports whether a replacement would need its predecessor's name, so that the old resource must be deleted
// first.
func (a *autoname) needsOldName(olds, news values) bool {
	return !a.generated(news) && fmt.Sprint(olds[a.property]) == fmt.Sprint(news[a.property])
}
