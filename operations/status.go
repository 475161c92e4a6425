package operations

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Declared is what a stack's configuration says of secrets: where each comes from, by name. "" is the stack's own
// secret, and anything else the ARN of another one.
type Declared struct {
	// Container are those of the application, and Build those of its image's build.
	Container, Build map[string]string
}

// Names lists every name, sorted.
func (d Declared) Names() []string {
	all := maps.Clone(d.Container)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, d.Build)
	return slices.Sorted(maps.Keys(all))
}

// Own reports whether the application or the build has the stack's own secret of this name.
func (d Declared) Own(name string) bool { return own(d.Container, name) || own(d.Build, name) }

func own(secrets map[string]string, name string) bool {
	source, declared := secrets[name]
	return declared && source == ""
}

// Source returns the ARN of which a secret gets its value, or "" if it is the stack's own, or not declared.
func (d Declared) Source(name string) string {
	if d.Own(name) {
		return ""
	}
	return cmp.Or(d.Container[name], d.Build[name])
}

// State says what a secret waits for.
type State string

// The states of a secret.
const (
	Current    State = "current"    // the running release has this version
	Pending    State = "pending"    // the next release will have it
	Missing    State = "missing"    // it has no value, which stops the next release
	BuildOnly  State = "build"      // only builds use it, the next one this version
	External   State = "external"   // its value comes from an ARN, and is changed there
	Undeclared State = "undeclared" // the stack's configuration does not name it, so nothing uses it
)

// Status is a secret as the configuration, Parameter Store and the running release have it.
type Status struct {
	Name string `json:"name"`
	// Source is the ARN that it comes from; "" if it is the stack's own.
	Source string `json:"source,omitempty"`
	// Version is that of the stored value, and Changed when it was stored. Without a value, they are zero.
	Version int64     `json:"version,omitempty"`
	Changed time.Time `json:"changed,omitzero"`
	// Running is the version that the running release has, or 0.
	Running int64 `json:"running,omitempty"`
	State   State `json:"state"`
}

// Compare returns the status of every secret that is declared or stored, by name.
func Compare(declared Declared, stored []Stored, running Release) []Status {
	values := map[string]Stored{}
	for _, s := range stored {
		values[s.Name] = s
	}
	names := append(declared.Names(), slices.Collect(maps.Keys(values))...)
	slices.Sort(names)
	secrets := []Status{}
	for _, name := range slices.Compact(names) {
		value := values[name]
		s := Status{
			Name:    name,
			Source:  declared.Source(name),
			Version: value.Version,
			Changed: value.Changed.UTC(),
			Running: running.Secrets[name],
		}
		s.State = stateOf(declared, s)
		secrets = append(secrets, s)
	}
	return secrets
}

// stateOf returns a secret's state. A value that was deleted and set again may have a lower version than the one
// that runs.
func stateOf(declared Declared, s Status) State {
	switch {
	case s.Source != "":
		return External
	case !declared.Own(s.Name):
		return Undeclared
	case s.Version == 0:
		return Missing
	case !own(declared.Container, s.Name):
		return BuildOnly
	case s.Version != s.Running:
		return Pending
	}
	return Current
}
