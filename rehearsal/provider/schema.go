package provider

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cicd/rehearsal/aws/account"
)

// schema is the closed set of input properties of a resource or a block.
type schema map[string]property

// validate reports every violation of the schema in v; unknown values wait for the update.
func (s schema) validate(v values, path string, r *report) {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		p, ok := s[name]
		if !ok {
			r.add(join(path, name), "unknown property: the rehearsal knows %s here", strings.Join(slices.Sorted(maps.Keys(s)), ", "))
			continue
		}
		p.validate(v[name], join(path, name), r)
	}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if s[name].required && !v.has(name) {
			r.add(join(path, name), "missing required property %q", name)
		}
	}
}

func (p property) validate(v any, path string, r *report) {
	if _, ok := v.(unknown); ok {
		return
	}
	if !p.shape.fits(v) {
		r.add(path, "expected %s, got %s", p.shape, shapeOf(v)) // not the value: it may be a secret
		return
	}
	for _, rule := range p.rules {
		if fault := rule(v); fault != "" {
			r.add(path, "%s", fault)
		}
	}
	p.each(v, path, func(inner property, v any, path string) { inner.validate(v, path, r) }, func(m values) {
		p.fields.validate(m, path, r)
	})
}

// each visits the items of a list or dictionary, or the block itself.
func (p property) each(v any, path string, item func(property, any, string), fields func(values)) {
	switch v := v.(type) {
	case []any:
		for i, element := range v {
			item(*p.item, element, fmt.Sprintf("%s[%d]", path, i))
		}
	case map[string]any:
		if p.shape == shapeBlock {
			fields(v)
			return
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			item(*p.item, v[key], join(path, key))
		}
	}
}

// resolve reports every reference in v to something the account lacks.
func (s schema) resolve(v values, path string, acct *account.Account, r *report) {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		s[name].resolve(v[name], join(path, name), acct, r)
	}
}

func (p property) resolve(v any, path string, acct *account.Account, r *report) {
	if value, ok := v.(string); ok && p.reference != nil && !p.reference.exists(acct, value) {
		r.add(path, p.reference.fault, value)
	}
	p.each(v, path, func(inner property, v any, path string) { inner.resolve(v, path, acct, r) }, func(m values) {
		p.fields.resolve(m, path, acct, r)
	})
}

// withFallbacks returns v with absent properties' defaults filled in, including in nested blocks.
func (s schema) withFallbacks(v values) values {
	out := v.clone()
	for name, p := range s {
		if !out.has(name) && p.fallback != nil {
			out[name] = p.fallback
		}
		out[name] = p.withFallbacks(out[name])
		if out[name] == nil {
			delete(out, name)
		}
	}
	return out
}

func (p property) withFallbacks(v any) any {
	switch v := v.(type) {
	case []any:
		items := make([]any, len(v))
		for i, item := range v {
			items[i] = p.item.withFallbacks(item)
		}
		return items
	case map[string]any:
		if p.shape == shapeBlock {
			return map[string]any(p.fields.withFallbacks(v))
		}
	}
	return v
}

// withKept returns v with what an absent property leaves as it is: the value in old, or what AWS chose at creation.
func (s schema) withKept(v, old values) values {
	out := v.clone()
	for name, p := range s {
		if kept := p.withKept(v[name], old[name]); kept != nil {
			out[name] = kept
		}
	}
	return out
}

func (p property) withKept(v, old any) any {
	switch v := v.(type) {
	case nil:
		switch {
		case !p.computed && !p.suppressed:
			return nil
		case old != nil:
			return old
		case p.computed && p.shape == shapeBlock:
			return map[string]any(p.fields.withKept(p.fields.withFallbacks(values{}), nil))
		}
		return p.initial
	case []any:
		before, _ := old.([]any)
		items := make([]any, len(v))
		for i, item := range v {
			if i < len(before) && !p.unordered {
				items[i] = p.item.withKept(item, before[i])
			} else {
				items[i] = p.item.withKept(item, nil)
			}
		}
		return items
	case map[string]any:
		if p.shape == shapeBlock {
			before, _ := old.(map[string]any)
			return map[string]any(p.fields.withKept(v, before))
		}
	}
	return v
}

// join extends a property path in Pulumi's syntax.
func join(path, name string) string {
	switch {
	case path == "":
		return name
	case strings.ContainsAny(name, `.[]"`):
		return fmt.Sprintf("%s[%q]", path, name)
	}
	return path + "." + name
}
