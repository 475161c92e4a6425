// Hello says which version it is.
package main

import "os"

var version = "unknown"

func main() { os.Stdout.WriteString(version) }
