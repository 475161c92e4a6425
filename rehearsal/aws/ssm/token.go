package ssm

import (
	"encoding/base64"
	"strings"

	"cicd/rehearsal/aws/awserror"
)

// tokenStart tells a token of this store from other text.
const tokenStart = "after:"

func encodeToken(last string) string {
	return base64.StdEncoding.EncodeToString([]byte(tokenStart + last))
}

func decodeToken(token string) (last string, err error) {
	text, err := base64.StdEncoding.DecodeString(token)
	last, ok := strings.CutPrefix(string(text), tokenStart)
	if err != nil || !ok {
		return "", awserror.New("InvalidNextToken", "The specified token isn't valid.")
	}
	return last, nil
}
