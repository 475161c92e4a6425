package infra

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// policyDocument is a policy in IAM's JSON (IAM User Guide, "IAM JSON policy elements reference").
type policyDocument struct {
	Version   string
	Statement []statement
}

// statement has one reason, which its Sid states.
type statement struct {
	Sid       string
	Effect    string
	Principal map[string]string `json:",omitempty"`
	Action    []string
	Resource  []string  `json:",omitempty"`
	Condition condition `json:",omitempty"`
}

// condition has a value, or a list of which any will do, for each operator and key.
type condition map[string]map[string]any

// document returns a policy document with the statements.
func document(statements ...statement) (string, error) {
	text, err := json.Marshal(policyDocument{Version: "2012-10-17", Statement: statements})
	if err != nil {
		return "", fmt.Errorf("policy document: %w", err)
	}
	return string(text), nil
}

// trust lets one service assume a role, only on behalf of what the condition names.
func trust(service string, when condition) statement {
	return statement{
		Sid:       "AssumedByService",
		Effect:    "Allow",
		Principal: map[string]string{"Service": service},
		Action:    []string{"sts:AssumeRole"},
		Condition: when,
	}
}

// grant allows actions on resources whose ARNs may be outputs of other resources.
type grant struct {
	sid       string
	actions   []string
	resources pulumi.StringArray
	condition condition // nil for none
}

// allow grants actions on resources.
func allow(sid string, actions []string, resources pulumi.StringArray) grant {
	return grant{sid: sid, actions: actions, resources: resources}
}

// when limits a grant to requests that meet a condition.
func (g grant) when(c condition) grant {
	g.condition = c
	return g
}

// grants returns a policy document that allows the listed grants.
func grants(list []grant) pulumi.StringOutput {
	resources := make(pulumi.StringArrayArray, len(list))
	for i, g := range list {
		resources[i] = g.resources
	}
	return resources.ToStringArrayArrayOutput().ApplyT(func(arns [][]string) (string, error) {
		statements := make([]statement, len(list))
		for i, g := range list {
			statements[i] = statement{Sid: g.sid, Effect: "Allow", Action: g.actions, Resource: arns[i], Condition: g.condition}
		}
		return document(statements...)
	}).(pulumi.StringOutput)
}

// on lists the resources of a grant.
func on(arns ...pulumi.StringInput) pulumi.StringArray { return arns }

// within appends rest to an ARN, for instance to turn a bucket's ARN into that of its objects.
func within(arn pulumi.StringInput, rest string) pulumi.StringInput {
	return pulumi.Sprintf("%s%s", arn, rest)
}
