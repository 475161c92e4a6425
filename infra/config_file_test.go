package infra

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestProjectFile keeps Pulumi.yaml and the settings equal: keys, types and defaults.
func TestProjectFile(t *testing.T) {
	var project struct {
		Name   string
		Config map[string]json.RawMessage
	}
	readYAML(t, "../Pulumi.yaml", &project)
	if got := string(project.Config["pulumi:disable-default-providers"]); got != `["*"]` {
		t.Errorf("pulumi:disable-default-providers is %s, want all", got)
	}
	delete(project.Config, "pulumi:disable-default-providers")
	s := defaultSettings()
	for _, entry := range s.table() {
		var declared struct {
			Type        string
			Items       struct{ Type string }
			Default     any
			Description string
		}
		if err := json.Unmarshal(project.Config[entry.key], &declared); err != nil {
			t.Errorf("%s: %v in %q", entry.key, err, project.Config[entry.key])
			continue
		}
		delete(project.Config, entry.key)
		value := reflect.ValueOf(entry.value).Elem()
		wantType := map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Slice: "array", reflect.Map: "object"}[value.Kind()]
		items := ""
		if value.Kind() == reflect.Slice {
			items = map[reflect.Kind]string{reflect.String: "string", reflect.Int: "integer"}[value.Type().Elem().Kind()]
		}
		if declared.Type != wantType || declared.Items.Type != items {
			t.Errorf("%s is declared as %s of %q, want %s", entry.key, declared.Type, declared.Items.Type, wantType+" of "+items)
		}
		if got, want := fmt.Sprint(declared.Default), fmt.Sprint(value.Interface()); got != want {
			t.Errorf("default of %s is %q, want %q", entry.key, got, want)
		}
		if declared.Description == "" {
			t.Errorf("%s has no description", entry.key)
		}
	}
	for key := range project.Config {
		t.Errorf("%s is declared, but nothing reads it", key)
	}
}

// TestStackFiles: the stack files that come with the project are valid.
func TestStackFiles(t *testing.T) {
	for _, stack := range []string{"dev", "prod"} {
		var file struct{ Config map[string]any }
		readYAML(t, "../Pulumi."+stack+".yaml", &file)
		config := map[string]string{}
		for key, value := range file.Config {
			config[key] = fmt.Sprint(value)
		}
		if err := CheckConfig("cicd", stack, config, nil); err != nil {
			t.Error(err)
		}
	}
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}
