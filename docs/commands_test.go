package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommandsHaveAnEnvironment: whatever a rehearsal or the engine runs gets a stated environment. Without one, it
// would have all of the user's: a language, a proxy, credentials, options of tar, Go or Pulumi.
func TestCommandsHaveAnEnvironment(t *testing.T) {
	seen := 0
	for _, root := range []string{"../rehearsal", "../automation", "../internal/docker"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				strings.HasPrefix(path, "../rehearsal/bench/") { // what is measured is the user's own commands
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			for _, declaration := range file.Decls {
				commands, environments := commandsIn(declaration)
				if seen += commands; commands > environments {
					t.Errorf("%s: %d of %d commands have no environment: set Env", files.Position(declaration.Pos()), commands-environments, commands)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 10 {
		t.Errorf("%d commands: too few to be all", seen)
	}
}

// commandsIn counts the commands that a declaration makes, and the environments that it sets.
func commandsIn(declaration ast.Decl) (commands, environments int) {
	ast.Inspect(declaration, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.SelectorExpr); ok && strings.HasPrefix(f.Sel.Name, "Command") {
				if pkg, ok := f.X.(*ast.Ident); ok && pkg.Name == "exec" {
					commands++
				}
			}
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if field, ok := left.(*ast.SelectorExpr); ok && field.Sel.Name == "Env" {
					environments++
				}
			}
		}
		return true
	})
	return commands, environments
}
