package automation

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	sdk "github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// Config is the configuration of a stack. Its keys include their namespace ("cicd:branch").
type Config struct {
	Project string
	// Values are as in `pulumi config --json`: lists are JSON.
	Values map[string]string
	// Encrypted lists the keys whose values are encrypted, wholly or in part.
	Encrypted []string
}

// Keys lists every key, sorted.
func (c Config) Keys() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(c.Values)), c.Encrypted...)))
}

// ReadProject returns the name of the project in dir.
func ReadProject(dir string) (name string, err error) {
	p, err := loadProject(dir)
	if err != nil {
		return "", err
	}
	return p.Name.String(), nil
}

func loadProject(dir string) (*sdk.Project, error) {
	p, err := sdk.LoadProject(filepath.Join(dir, "Pulumi.yaml"))
	if err != nil {
		return nil, fmt.Errorf("project file Pulumi.yaml: %w", err)
	}
	return p, nil
}

// ReadConfig reads the configuration of a stack from its settings file in dir, without starting an engine. If there
// is no such file, it returns CheckStack's error.
func ReadConfig(dir, stack string) (Config, error) {
	if err := CheckStack(dir, stack); err != nil {
		return Config{}, err
	}
	p, err := loadProject(dir)
	if err != nil {
		return Config{}, err
	}
	file, settings, err := loadSettings(dir, stack, p)
	if err != nil {
		return Config{}, err
	}
	c := Config{Project: p.Name.String(), Values: map[string]string{}}
	for key, value := range settings.Config {
		if value.Secure() {
			c.Encrypted = append(c.Encrypted, key.String())
			continue
		}
		if c.Values[key.String()], err = value.Value(config.NopDecrypter); err != nil {
			return Config{}, fmt.Errorf("%s: %s: %w", file, key, err)
		}
	}
	slices.Sort(c.Encrypted)
	return c, nil
}

// loadSettings reads a stack's settings file.
func loadSettings(dir, stack string, p *sdk.Project) (file string, settings *sdk.ProjectStack, err error) {
	file = "Pulumi." + ShortName(stack) + ".yaml"
	sink := diag.DefaultSink(os.Stderr, os.Stderr, diag.FormatOptions{Color: colors.Never})
	if settings, err = sdk.LoadProjectStack(sink, p, filepath.Join(dir, file)); err != nil {
		return file, nil, fmt.Errorf("%s: %w", file, err)
	}
	return file, settings, nil
}

// SetValue writes a plain value into a stack's settings file in dir, without starting an engine. Comments and the order of the
// keys stay.
func SetValue(dir, stack, key, value string) error {
	if err := CheckStack(dir, stack); err != nil {
		return err
	}
	p, err := loadProject(dir)
	if err != nil {
		return err
	}
	file, settings, err := loadSettings(dir, stack, p)
	if err != nil {
		return err
	}
	parsed, err := config.ParseKey(key)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := settings.Config.Set(parsed, config.NewValue(value), false); err != nil {
		return fmt.Errorf("%s: %s: %w", file, key, err)
	}
	if err := settings.Save(filepath.Join(dir, file)); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
