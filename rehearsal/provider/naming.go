package provider

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// autoname is how Pulumi names resources of a type: logical name, a dash, seven hexadecimal digits.
// Source: pulumi-terraform-bridge, pkg/tfbridge/info/autonaming.go.
type autoname struct {
	property string
	max      int // characters
}

const randomDigits = 7

// defaulted is the input in which the bridge lists the properties that it filled in itself. It tells a name that the
// program chose from one that was made, which a replacement may not keep.
const defaulted = "__defaults"

// apply fills in the name that news lack: the one that olds were given before, else a new one.
func (a *autoname) apply(news, olds values, logicalName string, seed []byte, r *report) {
	if news.has(a.property) {
		return
	}
	if a.made(olds) {
		news[a.property] = olds[a.property]
	} else {
		name, err := resource.NewUniqueName(seed, logicalName+"-", randomDigits, a.max, nil)
		if err != nil {
			r.add(a.property, "autonaming: %v; give it a shorter name", err)
			return
		}
		news[a.property] = name
	}
	news[defaulted] = []any{a.property}
}

// made reports whether the name in inputs was made, not chosen.
func (a *autoname) made(inputs values) bool {
	return inputs.has(a.property) && slices.Contains(inputs.texts(defaulted), a.property)
}

// kept reports whether a replacement would need the name that its predecessor has, so that the old resource must go first.
func (a *autoname) kept(olds, news values) bool {
	return !a.made(news) && fmt.Sprint(olds[a.property]) == fmt.Sprint(news[a.property])
}
