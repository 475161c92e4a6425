package infra

import "testing"

func TestEnvironment(t *testing.T) {
	rec := run(t, with("logRetentionDays", "90"))
	wantInputs(t, rec.named(t, "cloudwatch/logGroup:LogGroup", "cicd-dev-logs"), `{"name": "/cicd/dev", "retentionInDays": 90}`)
	settings := rec.one(t, "s3/bucketObjectv2:BucketObjectv2")
	delete(settings.Inputs, "content") // has tests of its own
	wantInputs(t, settings, `{
		"bucket": "cicd-dev-artifacts-123456789012-eu-central-1", "key": "_stack/settings.env", "contentType": "text/plain; charset=utf-8"
	}`)
	wantDependencies(t, settings, "::cicd-dev-artifacts-policy")
}

// TestLongestStart: start.sh may take as long as its parts together, and CodeDeploy ends the scripts of an event after
// an hour.
func TestLongestStart(t *testing.T) {
	const releaseCommand, rest, limit = 920, 200, 3600 // seconds; the first two as the build adds them up for the appspec
	if longest := releaseCommand + maxHealthSeconds + maxStopSeconds + rest; longest > limit {
		t.Errorf("start.sh may take %d s, and CodeDeploy ends it after %d", longest, limit)
	}
}
