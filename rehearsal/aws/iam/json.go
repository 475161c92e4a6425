package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

type rawJSON = json.RawMessage

// object returns the members of a JSON object, and the names that occur twice. Unlike json.Unmarshal it is
// case-sensitive, as IAM is.
func object(raw []byte) (members map[string]rawJSON, twice []string, err error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, nil, errors.Join(errors.New("want a JSON object"), err)
	}
	members = map[string]rawJSON{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, nil, err
		}
		var value rawJSON
		if err := dec.Decode(&value); err != nil {
			return nil, nil, err
		}
		key := name.(string) // a member's name is always a string, see json.Decoder.Token
		if _, ok := members[key]; ok {
			twice = append(twice, key)
		}
		members[key] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, nil, errors.New("there is something after the end of the JSON object")
	}
	return members, twice, nil
}

// list returns the items of a JSON list; any other value counts as a list of one.
func list(raw rawJSON) []rawJSON {
	var items []rawJSON
	if json.Unmarshal(raw, &items) != nil || items == nil { // null leaves items nil
		return []rawJSON{raw}
	}
	return items
}

// stringValue returns a JSON string's value.
func stringValue(raw rawJSON) (string, error) {
	var text *string
	if err := json.Unmarshal(raw, &text); err != nil || text == nil {
		return "", fmt.Errorf("%s is not a string", raw)
	}
	return *text, nil
}

// errEmpty is the error for a list without items.
var errEmpty = errors.New("the list is empty")

// stringValues returns the values of a JSON string or list of strings.
func stringValues(raw rawJSON) ([]string, error) {
	var values []string
	for _, item := range list(raw) {
		value, err := stringValue(item)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	if len(values) == 0 {
		return nil, errEmpty
	}
	return values, nil
}

// scalarValues is stringValues for condition values, where quotes around numbers and booleans are optional.
func scalarValues(raw rawJSON) ([]string, error) {
	items := list(raw)
	for i, item := range items {
		if item = bytes.TrimSpace(item); len(item) > 0 && strings.IndexByte(`"{[n`, item[0]) < 0 {
			items[i], _ = json.Marshal(string(item)) // a string always marshals
		}
	}
	quoted, err := json.Marshal(items)
	if err != nil {
		return nil, err
	}
	return stringValues(quoted)
}
