package provider

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// session is one configured provider resource of a program.
type session struct {
	region      string
	defaultTags map[string]any
}

// configurations are the provider inputs that the stand-in understands, by plugin. They exclude credentials and
// endpoints: a rehearsal talks to no cloud.
var configurations = map[string]schema{
	"aws": {
		"region":      text().need(),
		"defaultTags": block(schema{"tags": tagsOf("aws:ec2/")}), // each service checks them again
		// An explicit provider passes on validation settings from the stack's configuration or the SDK's defaults.
		"skipCredentialsValidation": flag(),
		"skipRegionValidation":      flag(),
		"version":                   text(),
	},
	"github": {
		"owner":   text(),
		"token":   text(),
		"baseUrl": text(),
		"version": text(),
	},
}

// checkConfiguration reports every violation in a provider's inputs.
func checkConfiguration(plugin string, inputs values, r *report) {
	configurations[plugin].validate(inputs, "", r)
	if region := inputs.text("region"); region != "" && !isRegion(region) {
		// Source: hashicorp/aws-sdk-go-base, ValidateRegion.
		r.add("region", "invalid AWS Region: %s; set aws:region to one of %s", region, strings.Join(rehearsable(), ", "))
	}
}

// configure stores the provider's inputs in the session.
func (s *session) configure(inputs values) {
	s.region = inputs.text("region")
	s.defaultTags = inputs.block("defaultTags").block("tags")
}

// addDefaultTags adds the default tags to a resource's: version 6 of the provider returns them in tags as well as in
// tagsAll (pulumi/pulumi-aws pull request 5505, which changes that in version 7).
func (s *session) addDefaultTags(inputs values) {
	if inputs.pending("tags") {
		inputs["tags"], inputs["tagsAll"] = unknown{}, unknown{}
		return
	}
	all := map[string]any{}
	maps.Copy(all, s.defaultTags)
	maps.Copy(all, inputs.block("tags"))
	inputs["tagsAll"] = all
	if len(all) > 0 {
		inputs["tags"] = all
	}
}

// tagLimits are a service's limits for tags.
type tagLimits struct {
	key, value int
	characters string // what keys and values may contain; "" for anything
}

// plain is what most services allow in tags. Source: AWS Tagging Best Practices, tag naming limits.
const plain = `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`

// tagLimitsOf lists the services whose limits are not 128 and 256 characters of plain. Sources: botocore's service
// models, release 1.43.67, shapes of keys and values of tags. EC2 User Guide, "Tag your Amazon EC2 resources": "all
// characters are allowed".
var tagLimitsOf = map[string]tagLimits{
	"ec2":             {128, 256, ""},
	"vpc":             {128, 256, ""},
	"codebuild":       {127, 255, plain},
	"codeconnections": {128, 256, `.*`},
	"codedeploy":      {128, 256, ""},
	"codepipeline":    {128, 256, ""},
	"kms":             {128, 256, ""},
	"sns":             {128, 256, ""},
}

// tagsOf is the schema of tags of a resource type: at most 50, whose keys do not begin with "aws:".
func tagsOf(token string) property {
	service, _, _ := strings.Cut(strings.TrimPrefix(token, "aws:"), "/")
	limits, ok := tagLimitsOf[service]
	if !ok {
		limits = tagLimits{128, 256, plain}
	}
	value, key := text().length(0, limits.value), text().length(1, limits.key)
	if limits.characters != "" {
		value, key = value.match(limits.characters), key.match(limits.characters)
	}
	return dictionary(value).length(0, 50).rule(func(v any) string {
		m, _ := v.(map[string]any)
		folded := map[string]bool{}
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if service == "iam" && folded[strings.ToLower(name)] { // IAM User Guide, "Rules for tagging in IAM and AWS STS"
				return fmt.Sprintf("InvalidInput: Duplicate tag keys found: %q, whose case does not count", name)
			}
			folded[strings.ToLower(name)] = true
			if strings.HasPrefix(strings.ToLower(name), "aws:") {
				return fmt.Sprintf("tag key %q: want one not starting with aws:", name)
			}
			for _, rule := range key.rules {
				if fault := rule(name); fault != "" {
					return fmt.Sprintf("tag key %q: %s", name, fault)
				}
			}
		}
		return ""
	})
}
