package provider

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// changes are the differences between two sets of inputs, by property path.
type changes map[string]*pulumirpc.PropertyDiff

// compare returns what changed from olds to news. As with the real provider, an absent property equals its default, or
// what it was if it is computed; a set ignores order, and a policy how it is written.
func (k kind) compare(olds, news values) changes {
	if k.trusted {
		return compareWhole(olds, news)
	}
	c := changes{}
	before := k.inputs.withKept(k.inputs.withFallbacks(olds), nil)
	after := k.inputs.withKept(k.inputs.withFallbacks(news), before)
	k.inputs.compare(before, after, "", false, c)
	if k.replaces != nil {
		for path, diff := range c {
			if k.replaces(path, before, after) {
				diff.Kind = replacing(diff.Kind)
			}
		}
	}
	return c
}

func (s schema) compare(olds, news values, path string, replace bool, c changes) {
	for name, p := range s {
		p.replace = p.replace || replace
		p.compare(olds[name], news[name], join(path, name), c)
	}
}

func (p property) compare(before, after any, path string, c changes) {
	if reflect.DeepEqual(before, after) && !containsUnknown(after) || p.meansTheSame(before, after) {
		return
	}
	switch before := before.(type) {
	case map[string]any:
		if after, ok := after.(map[string]any); ok {
			p.compareObjects(before, after, path, c)
			return
		}
	case []any:
		if after, ok := after.([]any); ok && !p.unordered && len(before) == len(after) {
			item := *p.item
			item.replace = item.replace || p.replace
			for i := range before {
				item.compare(before[i], after[i], fmt.Sprintf("%s[%d]", path, i), c)
			}
			return
		}
	}
	c.add(path, before, after, p.replace)
}

func (p property) compareObjects(before, after values, path string, c changes) {
	if p.shape == shapeBlock {
		p.fields.compare(before, after, path, p.replace, c)
		return
	}
	item := *p.item
	item.replace = item.replace || p.replace
	keys := maps.Clone(before)
	maps.Copy(keys, after)
	for key := range keys {
		item.compare(before[key], after[key], join(path, key), c)
	}
}

// meansTheSame reports whether two values mean the same although they are written differently.
func (p property) meansTheSame(before, after any) bool {
	switch {
	case containsUnknown(after):
		return false
	case p.equivalent != nil:
		old, _ := before.(string)
		text, _ := after.(string)
		return p.equivalent(old, text)
	case p.unordered:
		return slices.Equal(sortedItems(before), sortedItems(after))
	}
	return false
}

// sortedItems returns the items of a list, sorted.
func sortedItems(v any) []string {
	list, _ := v.([]any)
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = fmt.Sprintf("%#v", item)
	}
	slices.Sort(out)
	return out
}

func (c changes) add(path string, before, after any, replace bool) {
	kind := pulumirpc.PropertyDiff_UPDATE
	switch {
	case before == nil:
		kind = pulumirpc.PropertyDiff_ADD
	case after == nil:
		kind = pulumirpc.PropertyDiff_DELETE
	}
	if replace {
		kind = replacing(kind)
	}
	c[path] = &pulumirpc.PropertyDiff{Kind: kind, InputDiff: true}
}

// replacing returns the variant of kind that also replaces the resource.
func replacing(kind pulumirpc.PropertyDiff_Kind) pulumirpc.PropertyDiff_Kind {
	switch kind {
	case pulumirpc.PropertyDiff_ADD:
		return pulumirpc.PropertyDiff_ADD_REPLACE
	case pulumirpc.PropertyDiff_DELETE:
		return pulumirpc.PropertyDiff_DELETE_REPLACE
	case pulumirpc.PropertyDiff_UPDATE:
		return pulumirpc.PropertyDiff_UPDATE_REPLACE
	}
	return kind
}

// response returns the changes in the form that Diff returns.
func (c changes) response() *pulumirpc.DiffResponse {
	response := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, HasDetailedDiff: true, DetailedDiff: c}
	for _, path := range slices.Sorted(maps.Keys(c)) {
		response.Changes = pulumirpc.DiffResponse_DIFF_SOME
		response.Diffs = append(response.Diffs, topLevel(path))
		if kind := c[path].Kind; kind == replacing(kind) {
			response.Replaces = append(response.Replaces, topLevel(path))
		}
	}
	response.Diffs = slices.Compact(response.Diffs)
	response.Replaces = slices.Compact(response.Replaces)
	return response
}

// topLevel returns the first element of a property path.
func topLevel(path string) string {
	if end := strings.IndexAny(path, ".["); end > 0 {
		return path[:end]
	}
	return path
}
