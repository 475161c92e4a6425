package provider

import "maps"

// values are the properties of a resource or a block, as plain JSON values and unknowns. The accessors return the
// zero value for what is absent, unknown or of another type: the schema checks types.
type values map[string]any

func (v values) clone() values { return maps.Clone(v) }

// has reports whether the property is present, known or not.
func (v values) has(name string) bool { return v[name] != nil }

// unknown reports whether the property's value is entirely unknown.
func (v values) unknown(name string) bool {
	_, ok := v[name].(unknown)
	return ok
}

// pending reports whether the property's value is partly or entirely unknown.
func (v values) pending(name string) bool { return containsUnknown(v[name]) }

func (v values) text(name string) string {
	s, _ := v[name].(string)
	return s
}

func (v values) flag(name string) bool {
	b, _ := v[name].(bool)
	return b
}

func (v values) number(name string) int {
	f, _ := v[name].(float64)
	return int(f)
}

func (v values) block(name string) values {
	m, _ := v[name].(map[string]any)
	return m
}

// blocks returns the list's items by position; an unknown item is an empty block.
func (v values) blocks(name string) []values {
	list, _ := v[name].([]any)
	blocks := make([]values, len(list))
	for i, item := range list {
		m, _ := item.(map[string]any)
		blocks[i] = m
	}
	return blocks
}

// texts returns the list's items by position; an unknown item is "".
func (v values) texts(name string) []string {
	list, _ := v[name].([]any)
	texts := make([]string, len(list))
	for i, item := range list {
		texts[i], _ = item.(string)
	}
	return texts
}

func containsUnknown(v any) bool {
	switch v := v.(type) {
	case unknown:
		return true
	case []any:
		for _, item := range v {
			if containsUnknown(item) {
				return true
			}
		}
	case map[string]any:
		for _, item := range v {
			if containsUnknown(item) {
				return true
			}
		}
	}
	return false
}
