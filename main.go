// Command main is the Pulumi program: `pulumi up` runs it, and everything it declares is in package infra.
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cicd/infra"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		// What the engine hands to a program that it starts: the values of all keys that are configured.
		var config map[string]string
		if err := json.Unmarshal([]byte(os.Getenv(pulumi.EnvConfig)), &config); err != nil {
			return fmt.Errorf("configuration in %s: %w", pulumi.EnvConfig, err)
		}
		return infra.Program(slices.Collect(maps.Keys(config)))(ctx)
	})
}
