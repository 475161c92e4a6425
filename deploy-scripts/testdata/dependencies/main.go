// Command dependencies stands for the installation of an application's dependencies: it takes some seconds, and what it writes
// to /proof is never the same again.
package main

import (
	"crypto/rand"
	"crypto/sha256"
	"os"
)

func main() {
	work := []byte(rand.Text())
	for range 60_000_000 {
		sum := sha256.Sum256(work)
		work = sum[:]
	}
	if err := os.WriteFile("/proof", []byte(rand.Text()), 0o644); err != nil {
		panic(err)
	}
}
