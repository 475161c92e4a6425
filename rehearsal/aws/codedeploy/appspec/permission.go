package appspec

import (
	"slices"
	"strings"
)

// Permission is one entry of the permissions section.
type Permission struct {
	// Object is a path on the host.
	Object string
	// Pattern and Except are text, or values that fail when they are matched.
	Pattern any
	Except  []any
	// Types has "file", "directory" or both.
	Types []string
	// Owner and Group are the YAML values, nil if absent. Only text can name an account, but the agent notices that
	// only when it applies them (install_instruction.rb, ChangeOwnerCommand).
	Owner, Group any
	// Mode is one to four octal digits, padded to three; "" if absent.
	Mode    string
	ACL     *ACL
	Context *Context
}

// everything is the pattern that matches at every depth.
const everything = "**"

func parsePermissions(section any) ([]Permission, error) {
	list, err := entries("permissions", section)
	if err != nil {
		return nil, err
	}
	var permissions []Permission
	for _, item := range list {
		entry, ok := item.(mapping)
		if !ok {
			return nil, noMethod("has_key?", item, "permissions", "a list of mappings")
		}
		p := Permission{
			Object:  Strip(rubyString(entry.get("object"))),
			Pattern: everything,
			Owner:   entry.get("owner"),
			Group:   entry.get("group"),
		}
		if p.Object == "" {
			return nil, errNoObject
		}
		if err := p.parseScope(entry); err != nil {
			return nil, err
		}
		if p.Mode, err = parseMode(entry.get("mode")); err != nil {
			return nil, err
		}
		if p.ACL, err = parseACL(entry.get("acls")); err != nil {
			return nil, err
		}
		if p.Context, err = parseContext(entry.get("context")); err != nil {
			return nil, err
		}
		permissions = append(permissions, p)
	}
	return permissions, nil
}

// parseScope parses pattern, except and type. The agent minds the types of patterns only when it matches them.
func (p *Permission) parseScope(entry mapping) error {
	if pattern := entry.get("pattern"); truthy(pattern) {
		p.Pattern = pattern
	}
	if except := entry.get("except"); truthy(except) {
		var err error
		if p.Except, err = each(except, "permissions: except", "a list"); err != nil {
			return err
		}
	}
	p.Types = []string{"file", "directory"}
	types := entry.get("type")
	if !truthy(types) {
		return nil
	}
	list, err := each(types, "permissions: type", "a list")
	if err != nil {
		return err
	}
	p.Types = nil
	for _, t := range list {
		if t != "file" && t != "directory" {
			return violation("The deployment failed because the application specification filespecifies a permission for an object type not supported for permissions (%s). "+
				"Update the permissions section of the AppSpec file, and then try again.", rubyString(t))
		}
		p.Types = append(p.Types, t.(string))
	}
	return nil
}

// parseMode checks a mode by its decimal digits, as mode_info.rb does: YAML has turned an unquoted 0755 into 493.
func parseMode(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	mode := rubyString(v)
	for len(mode) < 3 {
		mode = "0" + mode
	}
	if len(mode) > 4 {
		return "", violation("The deployment failed because the length of a permissions mode (%s) in the application specification file is invalid. "+
			"Permissions modes must be between one and four characters long. Update the permissions section of the AppSpec file, and then try again.", mode)
	}
	for _, c := range mode {
		if c < '0' || c > '7' {
			return "", violation("The deployment failed because the permissions mode (%s) in the application specification file contains an invalid character (%c). "+
				"Update the permissions section of the AppSpec file, and then try again.", mode, c)
		}
	}
	return mode, nil
}

// AppliesTo reports whether the entry applies to objects of this type: "file" or "directory".
func (p Permission) AppliesTo(objectType string) bool { return slices.Contains(p.Types, objectType) }

// CheckFile returns the agent's error if p.Object is a copied file and pattern or except is set, which a file cannot
// have (linux_permission_info.rb, validate_file_permission).
func (p Permission) CheckFile() error {
	if p.Pattern != everything {
		return violation("The deployment failed because the application specification file includes an object (%s) with an invalid pattern (%s), "+
			"such as a pattern for a file applied to a directory. Correct the permissions section of the AppSpec file, and then try again.", p.Object, rubyString(p.Pattern))
	}
	if len(p.Except) > 0 {
		return violation("The deployment failed because the except parameter for a pattern in the permissions section (%s) for the object named %s contains an invalid format. "+
			"Update the AppSpec file, and then try again.", Inspect(p.Except), p.Object)
	}
	return nil
}

// CheckFileACL returns the agent's error for a default ACL on a file (linux_permission_info.rb, validate_file_acl).
func (p Permission) CheckFileACL() error {
	if p.ACL != nil && p.ACL.has(func(e ace) bool { return e.def }) {
		return violation("The deployment failed because the -d parameter has been specified to apply an acl setting to a file. " +
			"This parameter is supported for directories only. Update the AppSpec file, and then try again.")
	}
	return nil
}

// Matches reports whether p covers name, a host path below the directory base, the absolute form of p.Object. Pattern
// "**" covers every depth; any other pattern, and every except, only the directory's own entries.
func (p Permission) Matches(base, name string) (bool, error) {
	relative, below := strings.CutPrefix(name, strings.TrimSuffix(base, "/")+"/")
	if !below {
		return false, nil
	}
	if p.Pattern != everything {
		if matched, err := matchGlob("pattern", p.Pattern, relative); err != nil || !matched {
			return false, err
		}
	}
	for _, except := range p.Except {
		if excepted, err := matchGlob("except", except, relative); err != nil || excepted {
			return false, err
		}
	}
	return true, nil
}

// matchGlob matches one path element; only "*" is special, and stands for any characters.
func matchGlob(key string, glob any, name string) (bool, error) {
	if strings.Contains(name, "/") {
		return false, nil
	}
	pattern, ok := glob.(string)
	if !ok {
		return false, noMethod("chars", glob, "permissions: "+key, "text")
	}
	return matchText(pattern, name), nil
}

func matchText(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	rest, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}
