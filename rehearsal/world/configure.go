package world

import (
	"context"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

// Configure sets keys of the stack's configuration, without their namespace, to values as in its settings file, and brings the
// stack up. A nil value removes a key. restore does the same with the settings as they were.
func (w *World) Configure(ctx context.Context, values map[string]any) (restore func(context.Context) error, err error) {
	file := w.Workspace.Path("project", "Pulumi."+w.Stack+".yaml")
	before, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	after, err := withSettings(before, w.project, values)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	put := func(ctx context.Context, content []byte) error {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return err
		}
		return w.up(ctx)
	}
	return func(ctx context.Context) error { return put(ctx, before) }, put(ctx, after)
}

// withSettings returns the content of a settings file with other values.
func withSettings(content []byte, project string, values map[string]any) ([]byte, error) {
	var settings map[string]any
	if err := yaml.Unmarshal(content, &settings); err != nil {
		return nil, err
	}
	config, ok := settings["config"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("config is %T, want an object", settings["config"])
	}
	for key, value := range values {
		if config[project+":"+key] = value; value == nil {
			delete(config, project+":"+key)
		}
	}
	return yaml.Marshal(settings)
}
