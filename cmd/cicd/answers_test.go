package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/cobra"

	"cicd/automation"
	"cicd/internal/testproject"
	"cicd/operations"
)

// answers are the types of what commands print with --json: one document, but for logs, which prints one for each line.
var answers = map[string]any{
	"approve":      operations.Run{},
	"destroy":      destroyAnswer{},
	"doctor":       doctorAnswer{},
	"drift":        driftAnswer{},
	"logs":         operations.Line{},
	"outputs":      map[string]any{},
	"park":         parkingAnswer{},
	"preview":      automation.Result{},
	"reject":       operations.Run{},
	"release":      operations.Run{},
	"releases":     releasesAnswer{},
	"rollback":     operations.Run{},
	"secrets list": secretsAnswer{},
	"status":       statusAnswer{},
	"unpark":       parkingAnswer{},
	"up":           automation.Result{},
	"why":          operations.Cause{},
}

// schemas is the folder with the schemas. Tests change the current folder, and this is of before.
var schemas, _ = filepath.Abs(filepath.Join("..", "..", "docs", "json"))

// schemaFile is where the schema of a command's answer is.
func schemaFile(command string) string {
	return filepath.Join(schemas, strings.ReplaceAll(command, " ", "-")+".json")
}

// schemaOf describes a type, with the comments of its fields.
func schemaOf(t *testing.T, answer any) []byte {
	t.Helper()
	reflector := jsonschema.Reflector{Anonymous: true, AllowAdditionalProperties: true, Mapper: func(of reflect.Type) *jsonschema.Schema {
		if of != reflect.TypeFor[operations.Metrics]() {
			return nil
		}
		return metricsSchema(t)
	}}
	for _, folder := range []string{"automation", "cmd/cicd", "doctor", "operations"} {
		if err := reflector.AddGoComments("cicd", "./"+folder); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.MarshalIndent(reflector.Reflect(answer), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

// metricsSchema describes what Metrics makes of itself: every field is a number.
func metricsSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(operations.Metrics{})
	fields := map[string]float64{}
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	if err != nil {
		t.Fatal(err)
	}
	schema := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), Required: slices.Sorted(maps.Keys(fields))}
	for _, name := range schema.Required {
		schema.Properties.Set(name, &jsonschema.Schema{Type: "number"})
	}
	return schema
}

// wantAnswer checks what a command line with --json has printed against the command's schema.
func wantAnswer(t *testing.T, args []string, printed string) {
	t.Helper()
	command := args[0]
	if command == "secrets" {
		command += " " + args[1]
	}
	schema, err := validator.NewCompiler().Compile(schemaFile(command))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(printed))
	for decoder.More() {
		var document any
		if err := decoder.Decode(&document); err != nil {
			t.Fatalf("cicd %s --json: %v in\n%s", command, err, printed)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("cicd %s --json: %v in\n%s", command, err, printed)
		}
	}
}

var update = flag.Bool("update", false, "write the schemas in docs/json")

// TestAnswersHaveSchemas: every command with --json has a schema, which is that of what it prints.
func TestAnswersHaveSchemas(t *testing.T) {
	var with []string
	var find func(command *cobra.Command, path string)
	find = func(command *cobra.Command, path string) {
		if command.Flags().Lookup("json") != nil && command.Name() != "rehearse" {
			with = append(with, path)
		}
		for _, c := range command.Commands() {
			find(c, strings.TrimSpace(path+" "+c.Name()))
		}
	}
	find(cli{}.root(), "")
	slices.Sort(with)
	if known := slices.Sorted(maps.Keys(answers)); !slices.Equal(with, known) {
		t.Errorf("the commands with --json are %q, and those with a schema %q", with, known)
	}
	t.Chdir(testproject.Root(t)) // the comments' packages are named by paths from here
	for command, answer := range answers {
		file, want := schemaFile(command), schemaOf(t, answer)
		if *update {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not the schema of what it prints (%v): go test ./cmd/cicd -run TestAnswersHaveSchemas -update", file, err)
		}
	}
}
