// Command main is the Pulumi program that `pulumi up` runs. Package infra declares its resources.
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
		// The engine passes the values of all configured keys to the program.
		var config map[string]string
		if err := json.Unmarshal([]byte(os.Getenv(pulumi.EnvConfig)), &config); err != nil {
			return fmt.Errorf("configuration in %s: %w", pulumi.EnvConfig, err)
		}
		return infra.Program(slices.Collect(maps.Keys(config)))(ctx)
	})
}
