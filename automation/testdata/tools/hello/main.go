// Hello prints its version.
package main

import "os"

var version = "unknown"

func main() { os.Stdout.WriteString(version) }
