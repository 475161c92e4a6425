package appspec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Context is the SELinux context of a permission (context_info.rb). The user's key is "name", not "user".
type Context struct {
	User, Type string
	// Range is normalized; "" if there is none.
	Range string
}

func parseContext(v any) (*Context, error) {
	if v == nil {
		return nil, nil
	}
	kind, err := index(v, "type", "permissions: context")
	if err != nil {
		return nil, err
	}
	if kind == nil {
		return nil, violation("The deployment failed because the application specification file specifies an invalid context type (%s). "+
			"Update the permissions section of the AppSpec file, and then try again.", Inspect(v))
	}
	name, _ := index(v, "name", "permissions: context")
	c := &Context{User: rubyString(name), Type: rubyString(kind)}
	if r, _ := index(v, "range", "permissions: context"); r != nil {
		text, ok := r.(string)
		if !ok {
			return nil, noMethod("include?", r, "permissions: context: range", "text")
		}
		if c.Range, err = normaliseRange(text); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// normaliseRange parses s#[-s#][:c#[.c#](,c#[.c#])*] and writes it with runs of categories joined (range_info.rb).
func normaliseRange(text string) (string, error) {
	levels, categories, hasCategories := strings.Cut(text, ":")
	if levels == "" || hasCategories && categories == "" {
		return "", fmt.Errorf("invalid range part %s", text)
	}
	lowText, highText, isSpan := strings.Cut(levels, "-")
	if lowText == "" || isSpan && highText == "" {
		return "", fmt.Errorf("invalid range part %s", levels)
	}
	low, err := rangeNumber("sensitivity", "s", lowText)
	if err != nil {
		return "", err
	}
	out := fmt.Sprintf("s%d", low)
	if isSpan {
		high, err := rangeNumber("sensitivity", "s", highText)
		if err != nil {
			return "", err
		}
		if high < low {
			return "", violation("The deployment failed because of a problem with the SELinux range specified (%s) for the context parameter in the permissions section of the application specification file. "+
				"Make corrections in the permissions section of the AppSpec file, and then try again.", text)
		}
		if high != low {
			out += fmt.Sprintf("-s%d", high)
		}
	}
	if !hasCategories {
		return out, nil
	}
	normalised, err := normaliseCategories(categories)
	return out + ":" + normalised, err
}

func normaliseCategories(text string) (string, error) {
	var numbers []int
	for _, part := range strings.Split(text, ",") {
		lowText, highText, isSpan := strings.Cut(part, ".")
		low, err := categoryNumber(lowText)
		if err != nil {
			return "", err
		}
		high := low
		if isSpan {
			if high, err = categoryNumber(highText); err != nil {
				return "", err
			}
			if high < low {
				return "", fmt.Errorf("invalid category range %s.%s", lowText, highText)
			}
		}
		for n := low; n <= high; n++ {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	if len(slices.Compact(slices.Clone(numbers))) != len(numbers) {
		return "", fmt.Errorf("duplicate categories")
	}
	var parts []string
	for i := 0; i < len(numbers); {
		end := i
		for end+1 < len(numbers) && numbers[end+1] == numbers[end]+1 {
			end++
		}
		part := fmt.Sprintf("c%d", numbers[i])
		if end > i {
			part += fmt.Sprintf(".c%d", numbers[end])
		}
		parts = append(parts, part)
		i = end + 1
	}
	return strings.Join(parts, ","), nil
}

func categoryNumber(text string) (int, error) {
	n, err := rangeNumber("category", "c", text)
	if err == nil && n > 1023 {
		return 0, fmt.Errorf("invalid category %s", text)
	}
	return n, err
}

func rangeNumber(what, prefix, text string) (int, error) {
	digits, ok := strings.CutPrefix(text, prefix)
	n, err := strconv.ParseUint(digits, 10, 31)
	if !ok || err != nil {
		return 0, fmt.Errorf("invalid %s %s", what, text)
	}
	return int(n), nil
}
