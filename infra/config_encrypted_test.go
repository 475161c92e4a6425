package infra

import (
	"strings"
	"testing"
)

// TestEncryptedMaps: their values would end as plain text, so Pulumi must not even pretend to keep them.
func TestEncryptedMaps(t *testing.T) {
	keys := []string{"buildArgs", "buildSecrets", "environment", "processes", "releaseCommand", "secrets", "volumes"}
	for _, key := range keys {
		err := CheckConfig("cicd", "dev", with(), []string{"cicd:" + key})
		if err == nil || !strings.Contains(err.Error(), key+": is encrypted, wholly or in part") || !strings.Contains(err.Error(), "`cicd secrets set NAME --stack dev`") {
			t.Errorf("CheckConfig() with %s encrypted = %v, want an error that says where secrets belong", key, err)
		}
	}
	if err := CheckConfig("cicd", "dev", with(), []string{"cicd:vpcId", "cicd:appPath"}); err != nil {
		t.Errorf("CheckConfig() = %v, want nil", err)
	}
}

// TestEncryptedSettings: an encrypted key counts as set, and an unknown encrypted key is still an error.
func TestEncryptedSettings(t *testing.T) {
	if err := CheckConfig("cicd", "dev", nil, []string{"aws:region", "cicd:repository", "github:token"}); err != nil {
		t.Errorf("CheckConfig() = %v, want nil: what is required is encrypted", err)
	}
	err := CheckConfig("cicd", "dev", with("repository", "example/webapp"), []string{"cicd:operatorIP"})
	if err == nil || !strings.Contains(err.Error(), "operatorIP: no such key: did you mean operatorIp?") {
		t.Errorf("CheckConfig() = %v, want an error about operatorIP", err)
	}
}

// TestConfigErrorKeepsKeysToItself: sooner or later, somebody pastes the wrong file.
func TestConfigErrorKeepsKeysToItself(t *testing.T) {
	err := CheckConfig("cicd", "dev", with("sshPublicKey", "-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNz"), nil)
	if err == nil || strings.Contains(err.Error(), "b3BlbnNz") {
		t.Errorf("CheckConfig() = %v, want an error without the key", err)
	}
	const value = "hunter2"
	for _, key := range []string{"secrets", "buildSecrets", "environment", "buildArgs"} {
		for _, raw := range []string{`{"A":"postgres://` + value + `\u0000"}`, `{"A":["` + value + `"]}`, value} {
			if err := CheckConfig("cicd", "dev", with(key, raw), nil); err == nil || strings.Contains(err.Error(), value) {
				t.Errorf("CheckConfig() with %s %s = %v, want an error without the value", key, raw, err)
			}
		}
	}
}
