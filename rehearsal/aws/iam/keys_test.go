package iam

import (
	"strings"
	"testing"
)

const parameterARN = "arn:aws:ssm:eu-west-1:123456789012:parameter/shared/url"

// decrypting returns a policy as a stack has it for what is encrypted with a key that it does not declare.
func decrypting(via, parameter string) string {
	return one(`{"Sid":"Decrypt","Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-west-1:123456789012:key/*",
		"Condition":{"StringEquals":{"kms:ViaService":"` + via + `","kms:EncryptionContext:PARAMETER_ARN":["` + parameter + `"]}}}`)
}

// The role's own policies decide about a key that the stack does not declare, by the service that uses it and what for.
func TestOutsideKey(t *testing.T) {
	const ssm = "ssm.eu-west-1.amazonaws.com"
	const statement = `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-west-1:123456789012:key/*",` +
		`"Condition":{"StringEquals":{"kms:EncryptionContext:PARAMETER_ARN":"` + parameterARN + `","kms:ViaService":"` + ssm + `"}}}`
	tests := []struct{ name, inline, want string }{
		{"allowed", decrypting(ssm, parameterARN), ""},
		{"no policy", "", statement},
		{"another service", decrypting("secretsmanager.eu-west-1.amazonaws.com", parameterARN), "its condition StringEquals kms:ViaService wants"},
		{"another parameter", decrypting(ssm, parameterARN+"2"), `but the request has ["` + parameterARN + `"]`},
		{"a name that the context lacks", strings.Replace(decrypting(ssm, parameterARN), "PARAMETER_ARN", "SecretARN", 1), "but the request does not have it"},
		{"the context's name in other letters", strings.Replace(decrypting(ssm, parameterARN), "PARAMETER_ARN", "parameter_arn", 1), ""},
		{"by the names of the context", one(`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*",
			"Condition":{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":"PARAMETER_ARN"}}}`), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := declare(trusting(""), tt.inline, "")
			s := assume(t, a)
			s.Via, s.Keys = "ssm", EncryptionContext(map[string]string{"PARAMETER_ARN": parameterARN})
			checkError(t, a.Authorize(s, "kms:Decrypt", a.OutsideKey()), tt.want)
		})
	}
}

// The context of a call is part of the question, and a wildcard for keys that the program cannot name is not too wide.
func TestOutsideKeyUses(t *testing.T) {
	a, _ := declare(trusting(""), decrypting("ssm.eu-west-1.amazonaws.com", parameterARN), "")
	s := assume(t, a)
	s.Via = "ssm"
	for _, name := range []string{parameterARN, parameterARN, parameterARN + "2"} {
		s.Keys = EncryptionContext(map[string]string{"PARAMETER_ARN": name})
		a.Authorize(s, "kms:Decrypt", a.OutsideKey()) // the uses tell how it was decided
	}
	uses := a.Uses()[1:] // after the role was assumed
	if len(uses) != 2 || len(uses[0].Grants) != 1 || len(uses[1].Grants) != 0 {
		t.Fatalf("uses %+v, want one allowed and one denied", uses)
	}
	checkError(t, a.Recheck(uses[0]), "")
	checkError(t, a.Recheck(uses[1]), "is not authorized to perform: kms:Decrypt")
	granted, err := a.Granted()
	if err != nil || len(granted) != 1 || len(granted[0].Uses) != 1 || granted[0].Narrower() != "" {
		t.Errorf("Granted() = %+v, %v, want one, in use and not too wide", granted, err)
	}
}

// Each request carries its own keys; without one, a service's key has no value, and a key that no request has is an
// error.
func TestKeysOfACall(t *testing.T) {
	const deny = `[{"Effect":"Allow","Action":"ssm:*","Resource":"*"},
		{"Effect":"Deny","Action":"ssm:PutParameter","Resource":"*","Condition":{"StringEquals":{"ssm:Overwrite":"true"}}}]`
	a, _ := declare(trusting(""), one(deny), "")
	s := assume(t, a)
	checkError(t, a.Authorize(s, "ssm:PutParameter", parameterARN), "")
	s.Keys = map[string][]string{"ssm:Overwrite": {"false"}}
	checkError(t, a.Authorize(s, "ssm:PutParameter", parameterARN), "")
	s.Keys = map[string][]string{"ssm:Overwrite": {"true"}}
	checkError(t, a.Authorize(s, "ssm:PutParameter", parameterARN), "with an explicit deny in an identity-based policy")
	a, _ = declare(trusting(""), one(`{"Effect":"Allow","Action":"ssm:*","Resource":"*","Condition":{"StringEquals":{"ssm:resourceTag/x":"y"}}}`), "")
	checkError(t, a.Authorize(assume(t, a), "ssm:PutParameter", parameterARN), `condition key "ssm:resourceTag/x" cannot be rehearsed`)
}
