// Command main is the Pulumi program: `pulumi up` runs it, and everything it declares is in package infra.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cicd/infra"
)

func main() {
	pulumi.Run(infra.Program)
}
