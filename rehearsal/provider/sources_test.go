package provider

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The tables are those of the SDKs that the program is built with: a new version needs a look at its source.
func TestVersionsAreThoseOfTheSDKs(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for name, version := range versions {
		if want := "/pulumi-" + name + "/sdk/v6 v" + version + "\n"; !strings.Contains(string(text), want) {
			t.Errorf("go.mod has another version of %s than %s, which the tables follow: see sources.go", name, version)
		}
	}
}

// Each property says where the provider declares it.
func TestEveryPropertyHasItsSource(t *testing.T) {
	for token, k := range kinds {
		if k.source == "" {
			t.Errorf("%s has no source", token)
		}
		eachProperty(k.inputs, "", func(path string, p property) {
			if p.source == "" && path != "tags" && path != "tagsAll" { // the same for every type
				t.Errorf("%s: %s has no source", token, path)
			}
		})
	}
}

// The tables are the source's. It is not part of this repository: CONTRIBUTING.md says how to run this test.
func TestTablesFollowTheirSource(t *testing.T) {
	sources, ok := os.LookupEnv("PROVIDER_SOURCES")
	if !ok {
		t.Skip("PROVIDER_SOURCES does not name the sources, see CONTRIBUTING.md")
	}
	folders := strings.Split(sources, ":")
	if len(folders) != 3 || slices.ContainsFunc(folders, func(f string) bool { return f != "" && !filepath.IsAbs(f) }) {
		t.Fatalf("PROVIDER_SOURCES = %q, want three absolute paths, each of which may be empty", sources)
	}
	for token, k := range kinds {
		folder, file := folders[0], filepath.Join("internal/service", k.source)
		if name, ok := strings.CutPrefix(k.source, "later:"); ok {
			folder, file = folders[1], filepath.Join("internal/service", name)
		} else if name, ok := strings.CutPrefix(k.source, "github:"); ok {
			folder, file = folders[2], filepath.Join("github", name)
		}
		if folder == "" {
			t.Logf("%s: not compared: PROVIDER_SOURCES does not name its source", token)
			continue
		}
		file = filepath.Join(folder, file)
		declared, err := declarations(file)
		if err != nil {
			t.Errorf("%s: %v", token, err)
			continue
		}
		eachProperty(k.inputs, "", func(path string, p property) {
			line, err := strconv.Atoi(p.source)
			if err != nil {
				return // of another file
			}
			d, ok := declared[line]
			if !ok {
				t.Errorf("%s: %s: nothing is declared at %s:%d", token, path, file, line)
				return
			}
			if got := p.traits(); got != d.traits && !d.shared {
				t.Errorf("%s: %s: the table says [%s], %s:%d [%s]", token, path, got, file, line, d.traits)
			}
			if step := strings.ToLower(lastStep(path)); !strings.HasPrefix(step, d.name) && !strings.HasSuffix(step, d.name) {
				t.Errorf("%s: %s: %s:%d declares %s", token, path, file, line, d.name)
			}
		})
	}
}

func lastStep(path string) string { return path[strings.LastIndex(path, ".")+1:] }

// traits describe what a diff depends on.
func (p property) traits() string {
	return traits(p.replace, p.computed, p.suppressed, p.fallback != nil && p.fallback != "" && p.fallback != false && p.fallback != 0.0, p.unordered)
}

func traits(forceNew, computed, suppressed, fallback, set bool) string {
	var all []string
	for name, is := range map[string]bool{"forceNew": forceNew, "computed": computed, "suppressed": suppressed, "default": fallback, "set": set} {
		if is {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// eachProperty visits every property of a schema and its blocks.
func eachProperty(s schema, path string, visit func(path string, p property)) {
	for name, p := range s {
		visit(join(path, name), p)
		for p.item != nil {
			p = *p.item
		}
		eachProperty(p.fields, join(path, name), visit)
	}
}

// declaration is an attribute in a Terraform provider's source.
type declaration struct {
	name, traits string
	shared       bool
}

// declarations returns the attributes in a file by line.
func declarations(file string) (map[int]declaration, error) {
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, file, nil, 0)
	if err != nil {
		return nil, fmt.Errorf("read the provider's source: %w", err)
	}
	found := map[int]declaration{}
	ast.Inspect(tree, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		d, ok := attribute(pair.Value)
		if name := strings.ToLower(nameOf(pair.Key)); ok && name != "" {
			d.name = strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(name, "attr"), "routedestination"), "_", "")
			found[files.Position(pair.Pos()).Line] = d
		}
		return true
	})
	return found, nil
}

// nameOf returns the text or the identifier that a key is.
func nameOf(key ast.Expr) string {
	switch key := key.(type) {
	case *ast.BasicLit:
		name, _ := strconv.Unquote(key.Value)
		return name
	case *ast.Ident:
		return key.Name
	case *ast.SelectorExpr:
		return key.Sel.Name
	}
	return ""
}

// attribute reads the value of a schema's entry. A shared one, which is an identifier, has no traits here.
func attribute(value ast.Expr) (declaration, bool) {
	switch value.(type) {
	case *ast.Ident, *ast.CallExpr:
		return declaration{shared: true}, true
	}
	literal, ok := value.(*ast.CompositeLit)
	if !ok {
		return declaration{}, false
	}
	fields := map[string]string{"Type": nameOf(literal.Type)}
	for _, element := range literal.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			fields[nameOf(pair.Key)] = fmt.Sprint(mentions(pair.Value))
		}
	}
	has := func(field, word string) bool { return strings.Contains(fields[field], word) }
	fallback := fields["Default"] != "" && !has("Default", "false") && !has("Default", "[0]") && !has("Default", "nil")
	return declaration{traits: traits(
		has("ForceNew", "true") || has("PlanModifiers", "RequiresReplace"), has("Computed", "true"),
		has("DiffSuppressFunc", "SuppressMissingOptionalConfigurationBlock"), fallback,
		has("Type", "TypeSet") || has("Type", "SetNestedBlock") || has("DiffSuppressFunc", "bypassActorsDiffSuppressFunc"),
	)}, true
}

// mentions returns the identifiers and literals in an expression.
func mentions(e ast.Expr) (words []string) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			words = append(words, n.Name)
		case *ast.BasicLit:
			words = append(words, n.Value)
		}
		return true
	})
	return words
}
