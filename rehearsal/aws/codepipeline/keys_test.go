package codepipeline

import (
	"context"
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

const (
	keyARN   = "arn:aws:kms:eu-central-1:123456789012:key/k"
	topicARN = "arn:aws:sns:eu-central-1:123456789012:approvals"
)

// A pipeline with its own key, and a topic for its approval, needs permissions for both.
func TestKeyAndTopic(t *testing.T) {
	allow := func(actions string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["kms:*","sns:*"],"Resource":"*"},{"Effect":"Allow","Action":[` + actions + `],"Resource":"*"}]}`
	}
	tests := []struct{ name, topic, may, stage, denied string }{
		{"all", topicARN, `"kms:GenerateDataKey","kms:Decrypt","sns:Publish"`, "", ""},
		{"nobody to tell", "", `"kms:GenerateDataKey","kms:Decrypt"`, "", ""},
		{"not to write", topicARN, `"kms:Decrypt","sns:Publish"`, "stage Source, action GitHub", "kms:GenerateDataKey on resource: " + keyARN},
		{"not to read", topicARN, `"kms:GenerateDataKey","sns:Publish"`, "stage Build, action Image", "kms:Decrypt on resource: " + keyARN},
		{"not to tell", topicARN, `"kms:GenerateDataKey","kms:Decrypt"`, "stage Approval, action Approve", "sns:Publish on resource: " + topicARN},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			asked := false
			w.Approve = func(context.Context, Event) error { asked = true; return nil }
			w.put(account.KMSKey, "k", map[string]any{"keyId": "k", "arn": keyARN})
			w.put(account.Topic, "approvals", map[string]any{"arn": topicARN})
			w.put(account.RolePolicy, "p", map[string]any{"role": "pipeline", "policy": allow(tt.may)})
			w.pipeline["artifactStores"] = []any{map[string]any{"location": "artifacts", "encryptionKey": map[string]any{"id": "k", "type": "KMS"}}}
			w.pipeline["stages"] = slices.Insert(w.pipeline["stages"].([]any), 2, any(stageOf("Approval",
				map[string]any{"name": "Approve", "provider": "Manual", "configuration": map[string]any{"NotificationArn": tt.topic}})))
			w.declare()
			w.push("main", "webapp/a", "change")
			w.running.Wait()
			err := w.events[len(w.events)-1].Err
			if (err == nil) != (tt.denied == "") || err != nil && !(strings.Contains(err.Error(), tt.stage) && strings.Contains(err.Error(), tt.denied)) {
				t.Errorf("error = %v, want %q in %q", err, tt.denied, tt.stage)
			}
			if want := tt.denied == ""; asked != want {
				t.Errorf("asked for the approval: %t, want %t", asked, want)
			}
		})
	}
}
