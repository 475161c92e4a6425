package provider

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
)

// newUUID returns a random UUID, as CodeDeploy and CodeConnections use for identifiers.
func newUUID() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails, see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newID returns an identifier such as EC2 gives: the prefix, a dash, 17 hexadecimal digits.
func newID(prefix string) string {
	b := make([]byte, 9)
	rand.Read(b) // never fails, see crypto/rand
	return prefix + "-0" + hex.EncodeToString(b)[:16]
}

// generated identifies a resource by an identifier of EC2's form.
func generated(prefix string) func(*call) string {
	return func(*call) string { return newID(prefix) }
}
