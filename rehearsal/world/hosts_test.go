package world

import "testing"

func TestAgentVersion(t *testing.T) {
	for userData, want := range map[string]int{
		"": 1,
		"export AGENT_INSTALLER=https://aws-codedeploy-eu-central-1.s3.eu-central-1.amazonaws.com/latest/install\n":   1,
		"export AGENT_INSTALLER=https://aws-codedeploy-eu-central-1.s3.eu-central-1.amazonaws.com/latestv2/install\n": 2,
	} {
		if got := agentVersion(userData); got != want {
			t.Errorf("%s: agent %d, want %d", userData, got, want)
		}
	}
}
