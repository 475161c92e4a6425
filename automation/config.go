package automation

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	sdk "github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// Config returns the name of the project in dir and the configuration of one of its stacks, without starting an engine:
// keys with their namespace ("cicd:branch"), values as `pulumi config --json` has them, so lists as JSON. Secrets are
// left out. A stack without settings is the error of CheckStack.
func Config(dir, stack string) (project string, values map[string]string, err error) {
	if err := CheckStack(dir, stack); err != nil {
		return "", nil, err
	}
	p, err := sdk.LoadProject(filepath.Join(dir, "Pulumi.yaml"))
	if err != nil {
		return "", nil, fmt.Errorf("project file Pulumi.yaml: %w", err)
	}
	file := "Pulumi." + settingsName(stack) + ".yaml"
	sink := diag.DefaultSink(os.Stderr, os.Stderr, diag.FormatOptions{Color: colors.Never})
	settings, err := sdk.LoadProjectStack(sink, p, filepath.Join(dir, file))
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", file, err)
	}
	values = map[string]string{}
	for key, value := range settings.Config {
		if value.Secure() {
			continue
		}
		if values[key.String()], err = value.Value(config.NopDecrypter); err != nil {
			return "", nil, fmt.Errorf("%s: %s: %w", file, key, err)
		}
	}
	return p.Name.String(), values, nil
}
