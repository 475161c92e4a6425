package appspec

import (
	"strings"
)

// ACL is the acls value of a permission (acl_info.rb).
type ACL struct {
	declared []ace
	// completed holds the entries that Complete adds. The agent means to clear them between objects but clears a
	// local variable instead (acl_info.rb, clear_additional), so they stay, and setfacl uses the last one of a kind.
	completed []ace
}

// ace is one access control entry (ace_info.rb).
type ace struct {
	text       string
	def        bool // a default entry, for what is later created in a directory
	kind, name string
	permission string // as "rwx", with "-" for what is not granted
}

func parseACL(v any) (*ACL, error) {
	if v == nil {
		return nil, nil
	}
	list, err := each(v, "permissions: acls", "a list")
	if err != nil {
		return nil, err
	}
	acl := &ACL{}
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			return nil, noMethod("split", item, "permissions: acls", "a list of text")
		}
		entry, err := parseACE(text)
		if err != nil {
			return nil, err
		}
		if !entry.def && entry.kind != "mask" && entry.name == "" {
			return nil, violation("The deployment failed because of a problem with the acls permission settings in the application specification file. "+
				"Use mode to set the base acl entry (%s). Update the permissions section of the AppSpec file, and then try again.", text)
		}
		acl.declared = append(acl.declared, entry)
	}
	return acl, nil
}

var aceKinds = map[string]string{
	"u": "user", "user": "user", "g": "group", "group": "group", "m": "mask", "mask": "mask", "o": "other", "other": "other",
}

// parseACE parses [default:][kind:][name]:permissions.
func parseACE(text string) (ace, error) {
	invalid := violation("The deployment failed because of a problem with the acls permission settings in the application specification file. "+
		"Invalid acl entry (%s).", text)
	parts := strings.Split(text, ":")
	entry := ace{text: text}
	if len(parts) < 2 || len(parts) > 4 {
		return ace{}, invalid
	}
	fields, permission := parts[:len(parts)-1], parts[len(parts)-1]
	if isDefault := fields[0] == "d" || fields[0] == "default"; len(fields) == 3 || len(fields) == 2 && isDefault {
		if !isDefault {
			return ace{}, invalid
		}
		entry.def = true
		fields = fields[1:]
	}
	if len(fields) == 2 {
		if entry.kind = aceKinds[fields[0]]; entry.kind == "" {
			return ace{}, invalid
		}
	}
	last := fields[len(fields)-1]
	switch kind := aceKinds[last]; {
	case (kind == "mask" || kind == "other") && entry.kind == "":
		entry.kind = kind
	case kind == "mask" || kind == "other":
		entry.name = kind
	default:
		entry.name = last
		if entry.kind == "" {
			entry.kind = "user"
		}
	}
	if (entry.kind == "mask" || entry.kind == "other") && entry.name != "" {
		return ace{}, invalid
	}
	var err error
	entry.permission, err = parseACEPermission(text, permission)
	return entry, err
}

func parseACEPermission(text, permission string) (string, error) {
	if len(permission) == 1 && permission[0] >= '0' && permission[0] <= '7' {
		return octalPermission(permission[0]), nil
	}
	granted := []byte("---")
	for _, c := range permission {
		i := strings.IndexRune("rwx", c)
		switch {
		case i >= 0:
			granted[i] = byte(c)
		case c != '-':
			return "", violation("The deployment failed because the access control list (ACL) named %s in the application specification file contains an invalid character (%c). "+
				"Correct the ACL in the hooks section of the AppSpec file, and then try again.", text, c)
		}
	}
	return string(granted), nil
}

// octalPermission converts an octal digit to its "rwx" form.
func octalPermission(digit byte) string {
	granted := []byte("rwx")
	for i := range granted {
		if (digit-'0')&(4>>i) == 0 {
			granted[i] = '-'
		}
	}
	return string(granted)
}

func (e ace) String() string {
	s := e.kind + ":" + e.name + ":" + e.permission
	if e.def {
		return "default:" + s
	}
	return s
}

func (a *ACL) entries() []ace { return append(append([]ace(nil), a.declared...), a.completed...) }

func (a *ACL) has(want func(ace) bool) bool {
	for _, e := range a.entries() {
		if want(e) {
			return true
		}
	}
	return false
}

// Entries returns setfacl's arguments, one entry per string.
func (a *ACL) Entries() []string {
	var out []string
	for _, e := range a.entries() {
		out = append(out, e.String())
	}
	return out
}

// Complete adds the entries that setfacl --set requires besides the declared ones, from the object's mode: three
// octal digits (install_instruction.rb, ChangeAclCommand.get_full_acl).
func (a *ACL) Complete(mode string) {
	user, group, other := octalPermission(mode[0]), octalPermission(mode[1]), octalPermission(mode[2])
	add := func(def bool, kind, permission string) {
		a.completed = append(a.completed, ace{def: def, kind: kind, permission: permission})
	}
	is := func(def bool, kind string) func(ace) bool {
		return func(e ace) bool { return e.def == def && e.kind == kind && e.name == "" }
	}
	named := func(def bool) func(ace) bool { return func(e ace) bool { return e.def == def && e.name != "" } }
	add(false, "user", user)
	add(false, "group", group)
	add(false, "other", other)
	if a.has(named(false)) && !a.has(is(false, "mask")) {
		add(false, "mask", group)
	}
	if !a.has(func(e ace) bool { return e.def }) {
		return
	}
	if !a.has(is(true, "user")) {
		add(true, "user", user)
	}
	if !a.has(is(true, "group")) {
		add(true, "group", group)
	}
	if !a.has(is(true, "other")) {
		add(true, "other", other)
	}
	if a.has(named(true)) && !a.has(is(true, "mask")) {
		for _, e := range a.entries() {
			if is(true, "group")(e) {
				add(true, "mask", e.permission)
				break
			}
		}
	}
}
