package provider

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

func trustedFile(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rehearsal.yaml")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLoadTrusted(t *testing.T) {
	for content, want := range map[string]string{
		"": "map[]", "# nothing yet\n": "map[]", "{}": "map[]",
		"aws:rds/instance:Instance: {endpoint: host.docker.internal:5432}": "map[aws:rds/instance:Instance:map[endpoint:host.docker.internal:5432]]",
		"aws:sqs/queue:Queue:\n": "map[aws:sqs/queue:Queue:map[]]",
		"github:index/branchDefault:BranchDefault: {}\naws:elasticache/replicationGroup:ReplicationGroup:\n  port: 6379\n  nodes: [{address: a, ready: true}]\n": "map[aws:elasticache/replicationGroup:ReplicationGroup:map[nodes:[map[address:a ready:true]] port:6379] github:index/branchDefault:BranchDefault:map[]]",
	} {
		trusted, err := LoadTrusted(trustedFile(t, content))
		if err != nil || fmt.Sprint(trusted) != want {
			t.Errorf("%q: %v, %v; want %s", content, trusted, err, want)
		}
		for token, outputs := range trusted {
			if _, err := toWire(outputs); err != nil {
				t.Errorf("%s: %v", token, err)
			}
		}
	}
	if trusted, err := LoadTrusted(filepath.Join(t.TempDir(), "rehearsal.yaml")); err != nil || trusted != nil {
		t.Errorf("without the file: %v, %v", trusted, err)
	}
	if _, err := LoadTrusted(t.TempDir()); err == nil {
		t.Error("read a folder")
	}
}

func TestLoadTrustedRefuses(t *testing.T) {
	for content, want := range map[string]string{
		"\naws:rds:Instance: {}":                                        ":2: aws:rds:Instance is not a resource type: want aws:rds/instance:Instance",
		"aws:rds/instances:Instance: {}":                                ":1: aws:rds/instances:Instance is not a resource type: want aws:rds/instance:Instance",
		"trusted: {}":                                                   `:1: "trusted" is not a resource type`,
		"random:index/randomId:RandomId: {}":                            ":1: random:index/randomId:RandomId is of package random, whose plugin is the real one",
		"aws:sqs/queue:Queue: {}\naws:s3/bucketV2:BucketV2: {}":         ":2: aws:s3/bucketV2:BucketV2 is a type that the rehearsal knows",
		"aws:sqs/queue:Queue: {}\naws:sqs/queue:Queue: {}":              ":2: aws:sqs/queue:Queue is there twice",
		"aws:sqs/queue:Queue: [url]":                                    ":1: the outputs of aws:sqs/queue:Queue: want a mapping",
		"aws:sqs/queue:Queue: {url: a, url: b}":                         "already defined",
		"aws:sqs/queue:Queue: {url: .nan}":                              "want values that JSON has too",
		"- aws:sqs/queue:Queue":                                         ":1: want resource types with their outputs",
		"aws:sqs/queue:Queue: {}\n---\naws:sns/topicRule:TopicRule: {}": "want one YAML document",
		"aws:sqs/queue:Queue: {":                                        "yaml: line 1",
	} {
		if _, err := LoadTrusted(trustedFile(t, content)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "rehearsal.yaml") {
			t.Errorf("%q: error = %v, want one containing %q", content, err, want)
		}
	}
	_, err := LoadTrusted(trustedFile(t, "aws:rds:Instance: {}\nqueue: {}\n"))
	if err == nil || !strings.Contains(err.Error(), ":1: aws:rds:Instance") || !strings.Contains(err.Error(), `:2: "queue"`) {
		t.Errorf("error = %v, want everything that is wrong", err)
	}
}

// The outputs that the file gives are known when the resource exists, and count more than inputs of their names.
func TestTrustedOutputs(t *testing.T) {
	const token = "aws:rds/instance:Instance"
	w := newWorld(t)
	w.options.Trusted = map[string]map[string]any{token: {"endpoint": "localhost:15432", "port": 15432.0}, "aws:sqs/queue:Queue": {"id": "jobs"}}
	inputs := values{"port": 5432.0, "tags": map[string]any{"aws:x": "y"}, "nested": []any{map[string]any{"a": 1.0}, "b", []any{}}}
	properties, _ := toWire(with(t, inputs, "size", unknown{}))
	preview, err := w.Create(w.ctx, &pulumirpc.CreateRequest{Urn: urnOf(token, "db"), Properties: properties, Preview: true})
	if err != nil {
		t.Fatal(err)
	}
	if out := fromWire(preview.Properties); out["endpoint"] != (unknown{}) || out["size"] != (unknown{}) {
		t.Errorf("preview = %v, want the outputs unknown", out)
	}
	out, err := w.declare(token, "db", inputs)
	if err != nil {
		t.Fatal(err)
	}
	if out["endpoint"] != "localhost:15432" || out["port"] != 15432.0 || fmt.Sprint(out["nested"]) != "[map[a:1] b []]" || !strings.HasPrefix(w.ids["db"], "db-0") {
		t.Errorf("outputs = %v of %s", out, w.ids["db"])
	}
	if _, err := w.declare("aws:sqs/queue:Queue", "queue", values{}); err != nil || w.ids["queue"] != "jobs" {
		t.Errorf("a queue with an id of the file: %s, %v", w.ids["queue"], err)
	}
	if trusted := w.Trusted(); len(trusted) != 2 || trusted[0].Name != "db" || trusted[1].Name != "queue" {
		t.Errorf("taken on trust: %v", trusted)
	}
}
