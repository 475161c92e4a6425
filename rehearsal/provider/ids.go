package provider

import (
	"crypto/rand"
	"encoding/hex"
)

// newID returns an id in EC2's format: the prefix, a dash, 17 hexadecimal digits.
func newID(prefix string) string {
	b := make([]byte, 9)
	rand.Read(b) // never fails, see crypto/rand
	return prefix + "-0" + hex.EncodeToString(b)[:16]
}

// generated identifies a resource by an id in EC2's format.
func generated(prefix string) func(*call) string {
	return func(*call) string { return newID(prefix) }
}
