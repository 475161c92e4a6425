package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jmespath/go-jmespath"
)

// format is how an answer is printed: what --query and --output say.
type format struct {
	query *jmespath.JMESPath // nil for the whole response
	text  bool               // rather than JSON
}

// newFormat returns the format that a call wants.
func newFormat(given arguments) (format, error) {
	f := format{text: given.one("--output") == "text"}
	if !given.has("--query") {
		return f, nil
	}
	var err error
	if f.query, err = jmespath.Compile(given.one("--query")); err != nil {
		//lint:ignore ST1005 these are the CLI's own words
		return f, fmt.Errorf("Bad value for --query %s: %w", given.one("--query"), err)
	}
	return f, nil
}

// write prints an answer. JSON differs from the real CLI's in the order of an object's names, which means nothing.
func (f format) write(w io.Writer, answer any) error {
	if text, ok := answer.(plain); ok {
		_, err := fmt.Fprintln(w, text)
		return err
	}
	if f.query != nil {
		var err error
		if answer, err = f.query.Search(answer); err != nil {
			return err
		}
	}
	if f.text {
		_, err := io.WriteString(w, text(answer, "", nil))
		return err
	}
	if object, ok := answer.(map[string]any); ok && len(object) == 0 {
		return nil
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "    ")
	e.SetEscapeHTML(false)
	return e.Encode(answer)
}

// text returns a value as the CLI prints it with --output text: one line for the scalars of an object or a list, with
// tabs between them, and what is nested in lines of its own, which begin with its name in capitals (aws-cli,
// awscli/text.py). columns are the names that the objects of a list have together; nil for an object that is not in
// one.
func text(value any, name string, columns []string) string {
	switch v := value.(type) {
	case map[string]any:
		return objectText(v, name, columns)
	case []any:
		return listText(v, name)
	}
	return scalar(value) + "\n"
}

func listText(list []any, name string) string {
	var lines strings.Builder
	columns := columnsOf(list)
	hasObjects := slices.ContainsFunc(list, func(item any) bool { _, ok := item.(map[string]any); return ok })
	var scalars []string
	for _, item := range list {
		if !nests(item) && !hasObjects {
			scalars = append(scalars, scalar(item))
		}
	}
	switch {
	case len(scalars) > 0 && name != "":
		for _, one := range scalars {
			lines.WriteString(strings.ToUpper(name) + "\t" + one + "\n")
		}
	case len(scalars) > 0:
		lines.WriteString(strings.Join(scalars, "\t") + "\n")
	}
	for _, item := range list {
		if nests(item) || hasObjects {
			lines.WriteString(text(item, name, columns))
		}
	}
	return lines.String()
}

// columnsOf returns the names of all scalars in the objects of a list.
func columnsOf(list []any) []string {
	names := map[string]bool{}
	for _, item := range list {
		object, _ := item.(map[string]any)
		for name, value := range object {
			if !nests(value) {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func objectText(object map[string]any, name string, columns []string) string {
	var cells []string
	var nested []string
	for _, key := range slices.Sorted(maps.Keys(object)) {
		switch {
		case columns == nil && !nests(object[key]):
			cells = append(cells, scalar(object[key]))
		case !slices.Contains(columns, key):
			nested = append(nested, key)
		}
	}
	for _, key := range columns {
		cell := ""
		if value, ok := object[key]; ok {
			cell = scalar(value)
		}
		cells = append(cells, cell)
	}
	var lines strings.Builder
	if len(cells) > 0 {
		if name != "" {
			cells = slices.Insert(cells, 0, strings.ToUpper(name))
		}
		lines.WriteString(strings.Join(cells, "\t") + "\n")
	}
	for _, key := range nested {
		lines.WriteString(text(object[key], key, nil))
	}
	return lines.String()
}

// nests reports whether a value is an object or a list.
func nests(value any) bool {
	switch value.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// scalar returns a value as Python's str does.
func scalar(value any) string {
	switch v := value.(type) {
	case nil:
		return "None"
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}
