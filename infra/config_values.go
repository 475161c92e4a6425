package infra

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// isEncrypted is what is wrong with the encrypted value of a key whose values end as plain text.
const isEncrypted = "is encrypted, wholly or in part, and its values would end as plain text in Pulumi's state and in every release: " +
	"give a secret's NAME in secrets (or buildSecrets) instead, and its value to `cicd secrets set NAME --stack %s`; " +
	"`pulumi config rm --path %s.NAME` removes it here"

// setting is one key of the project's namespace.
type setting struct {
	key string
	// value points into settings: *string, *bool, *int, *[]string, *[]int or *map[string]string.
	value any
	// check returns what is wrong with the value and what is wanted, or "" if valid. Nil accepts every value.
	check func() string
}

func (e setting) isMap() bool {
	_, ok := e.value.(*map[string]string)
	return ok
}

// mustBePlain reports whether the key's values reach an image or a release, where encryption would only pretend to
// protect them.
func (e setting) mustBePlain() bool { return e.isMap() || e.key == "releaseCommand" }

// read parses and checks a key's raw value; if the key is not set, it checks the default.
func (e setting) read(raw string, ok bool) string {
	if ok {
		if problem := e.parse(raw); problem != "" {
			return problem
		}
	}
	if e.check == nil {
		return ""
	}
	return e.check()
}

// parse stores a raw value in what value points to. If the type is wrong, it returns what is wanted.
func (e setting) parse(raw string) string {
	switch v := e.value.(type) {
	case *string:
		*v = raw
	case *bool:
		if raw != "true" && raw != "false" {
			return "want true or false"
		}
		*v = raw == "true"
	case *int:
		n, err := strconv.Atoi(raw)
		if err != nil || strconv.Itoa(n) != raw {
			return "want a whole number"
		}
		*v = n
	case *[]string:
		*v = nil
		if err := json.Unmarshal([]byte(raw), v); err != nil {
			return fmt.Sprintf("want a list of strings, as in `pulumi config set --path '%s[0]' VALUE`", e.key)
		}
	case *[]int:
		*v = nil
		if err := parseNumbers(raw, v); err != nil {
			return fmt.Sprintf("want a list of whole numbers, as in `pulumi config set --path '%s[0]' 5432`", e.key)
		}
	case *map[string]string:
		return parseMap(e.key, raw, *v)
	}
	return ""
}

// parseNumbers also takes numbers in quotes, as Pulumi does where Pulumi.yaml declares an integer
// (pulumi/pulumi, sdk/go/common/workspace/project.go, ValidateConfigValue).
func parseNumbers(raw string, into *[]int) error {
	var items []any
	if err := json.Unmarshal([]byte(raw), &items); err != nil {
		return err
	}
	for _, item := range items {
		n, err := strconv.Atoi(fmt.Sprint(item))
		if err != nil {
			return err
		}
		*into = append(*into, n)
	}
	return nil
}

// parseMap stores the fields of an object. Pulumi keeps what looks like a whole number or a truth value as one, whose
// text is the same (pulumi/pulumi, sdk/go/common/resource/config/map.go, Set). What a person writes without quotes is
// YAML, where 1.10 is the number 1.1, and nothing is null.
func parseMap(key, raw string, into map[string]string) string {
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(raw), &object); err != nil || object == nil {
		return fmt.Sprintf("want names and their values, as in `pulumi config set --path '%s.NAME' VALUE`", key)
	}
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(object)) {
		text := string(object[name])
		_, notNumber := strconv.ParseInt(text, 10, 64)
		switch {
		case strings.HasPrefix(text, `"`):
			var value string
			if err := json.Unmarshal(object[name], &value); err != nil {
				wrong = append(wrong, name)
			}
			into[name] = value
		case text == "true" || text == "false" || notNumber == nil:
			into[name] = text
		default:
			wrong = append(wrong, name)
		}
	}
	if len(wrong) > 0 {
		return fmt.Sprintf("want a text for %s: in quotes, unless it is a whole number, true or false", strings.Join(wrong, ", "))
	}
	return ""
}
