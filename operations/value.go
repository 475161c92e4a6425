package operations

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxValue is the longest value of a secret in bytes, Parameter Store's limit for a standard parameter (Systems
// Manager API reference, PutParameter).
const MaxValue = 4096

// CheckValue returns what is wrong with a value, without quoting it, or nil. A value becomes a container's variable,
// which is text without NUL.
func CheckValue(value string) error {
	switch {
	case value == "":
		return errors.New("the value is empty, and Parameter Store keeps no empty one")
	case len(value) > MaxValue:
		return fmt.Errorf("the value is longer than %d bytes, the most that a parameter holds: keep it in Secrets Manager, "+
			"and name its ARN in the stack's configuration", MaxValue)
	case strings.ContainsRune(value, 0):
		return errors.New("the value has a NUL byte, which no variable can hold: encode it, as with base64")
	case !utf8.ValidString(value):
		return errors.New("the value is not UTF-8 text: encode it, as with base64")
	}
	return nil
}
