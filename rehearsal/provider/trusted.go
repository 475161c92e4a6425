package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"cicd/rehearsal/aws/account"
)

// typeToken matches a type as Pulumi writes it, or in its short form, and captures its package, module and name.
var typeToken = regexp.MustCompile(`^([a-z][a-z0-9-]*):([A-Za-z0-9]+)(?:/[A-Za-z0-9]+)?:([A-Z][A-Za-z0-9]*)$`)

// LoadTrusted reads rehearsal.yaml: a mapping of the resource types that are taken on trust to the outputs that each
// gets, for Options.Trusted. Without the file, none are. The error has everything that is wrong, by file and line.
func LoadTrusted(file string) (map[string]map[string]any, error) {
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the types to take on trust: %w", err)
	}
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, nil // nothing but comments
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: want one YAML document, got more: put all types into the first", file)
	}
	return trustedIn(file, document.Content[0])
}

func trustedIn(file string, root *yaml.Node) (map[string]map[string]any, error) {
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: want resource types with their outputs, such as aws:rds/instance:Instance: {endpoint: localhost:5432}", file, root.Line)
	}
	trusted := map[string]map[string]any{}
	var errs []error
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		fault := trustable(key.Value)
		if _, twice := trusted[key.Value]; twice {
			fault = key.Value + " is there twice: keep one"
		}
		outputs, err := outputsIn(value)
		if fault == "" && err != nil {
			fault = fmt.Sprintf("the outputs of %s: %v", key.Value, err)
		}
		if fault != "" {
			errs = append(errs, fmt.Errorf("%s:%d: %s", file, key.Line, fault))
		}
		trusted[key.Value] = outputs
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return trusted, nil
}

// trustable returns why a type cannot be taken on trust, or "".
func trustable(token string) string {
	match := typeToken.FindStringSubmatch(token)
	if match == nil {
		return fmt.Sprintf("%q is not a resource type: want one like aws:rds/instance:Instance, as the error about an unknown type prints it", token)
	}
	pkg, module, name := match[1], match[2], match[3]
	if _, replaced := versions[pkg]; !replaced {
		return fmt.Sprintf("%s is of package %s, whose plugin is the real one in a rehearsal: only types of aws and github can be taken on trust", token, pkg)
	}
	if want := fmt.Sprintf("%s:%s/%s:%s", pkg, module, strings.ToLower(name[:1])+name[1:], name); token != want {
		return fmt.Sprintf("%s is not a resource type: want %s", token, want)
	}
	if _, known := kinds[token]; known {
		return token + " is a type that the rehearsal knows and checks: remove it here"
	}
	return ""
}

// outputsIn returns the outputs as plain JSON values.
func outputsIn(node *yaml.Node) (outputs map[string]any, err error) {
	if err := node.Decode(&outputs); err != nil {
		return nil, fmt.Errorf("want a mapping of output names to values: %w", err)
	}
	raw, err := json.Marshal(outputs)
	if err != nil {
		return nil, fmt.Errorf("want values that JSON has too: %w", err)
	}
	outputs = map[string]any{}
	return outputs, json.Unmarshal(raw, &outputs)
}

// trustedKind is a type that is taken on trust: it has any inputs, which change in place, and the outputs of
// rehearsal.yaml beside them.
func trustedKind(outputs map[string]any) kind {
	k := kind{trusted: true, computed: map[string]output{}, id: func(c *call) string { return newID(c.urn.Name()) }}
	for name, value := range outputs {
		k.computed[name] = constant(value)
	}
	if id, ok := outputs["id"].(string); ok {
		k.id = func(*call) string { return id }
	}
	return k
}

// compareWhole returns which properties changed, without a look inside.
func compareWhole(before, after values) changes {
	c := changes{}
	both := before.clone()
	maps.Copy(both, after)
	for name := range both {
		if !reflect.DeepEqual(before[name], after[name]) || after.pending(name) {
			c.add(name, before[name], after[name], false)
		}
	}
	return c
}

// Trusted returns the declared resources that were taken on trust, in order of creation.
func (s *Server) Trusted() []account.Resource {
	return slices.DeleteFunc(s.options.Account.All(), func(r account.Resource) bool {
		_, trusted := s.options.Trusted[r.Type]
		return !trusted
	})
}
