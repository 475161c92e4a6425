package provider

import (
	"fmt"
	"slices"
	"strings"

	"cicd/rehearsal/aws/account"
)

var logGroupByName = named(account.LogGroup, "name", "log group %s does not exist; declare it, so that its retention is set and its writers need no logs:CreateLogGroup")

// retentions are the days that CloudWatch Logs accepts; 0 keeps events forever. Source: CloudWatch Logs API
// Reference, PutRetentionPolicy.
var retentions = []int{0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

var logKinds = map[string]kind{
	account.LogGroup: {
		source: "logs/group.go",
		inputs: schema{
			"name":            text().length(1, 512).match(`[0-9A-Za-z_./#-]+`).rule(checkLogGroupName).keeps(nil).replaces().at(57),
			"retentionInDays": number().or(0.0).rule(checkRetention).at(73),
		},
		autoname: &autoname{"name", 512},
		tagged:   true,
		unique:   []string{"name"}, taken: "ResourceAlreadyExistsException: The specified log group already exists: %s",
		id:       input("name"),
		computed: map[string]output{"arn": arnOf("logs", "log-group:%s")},
	},
}

func checkRetention(v any) string {
	if days, ok := v.(float64); ok && !slices.Contains(retentions, int(days)) {
		return fmt.Sprintf("expected one of %v, got %v", retentions, days)
	}
	return ""
}

// checkLogGroupName rejects AWS's own prefix. Source: CloudWatch Logs API Reference, CreateLogGroup: "Log group names
// can't start with the string aws/".
func checkLogGroupName(v any) string {
	if name, _ := v.(string); strings.HasPrefix(name, "aws/") {
		return "InvalidParameterException: Log group name cannot start with 'aws/': " + name
	}
	return ""
}
