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
		"defaultTags": block(schema{"tags": tags()}),
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
		r.add("region", "invalid AWS Region: %s; set aws:region to one of %s", region, strings.Join(slices.Sorted(maps.Keys(zoneLetters)), ", "))
	}
}

// configure stores the provider's inputs in the session.
func (s *session) configure(inputs values) {
	s.region = inputs.text("region")
	s.defaultTags = inputs.block("defaultTags").block("tags")
}

// tagsAll returns the default tags, overridden by the resource's.
func (s *session) tagsAll(inputs values) any {
	if inputs.pending("tags") {
		return unknown{}
	}
	all := map[string]any{}
	maps.Copy(all, s.defaultTags)
	maps.Copy(all, inputs.block("tags"))
	return all
}

// tags is the schema of tags. Source: AWS Tagging Best Practices, tag naming limits: 50 tags, keys of 1-128
// characters not starting with "aws:", values to 256.
func tags() property {
	return dictionary(text().length(0, 256).match(`[\p{L}\p{Z}\p{N}_.:/=+\-@]*`)).length(0, 50).rule(func(v any) string {
		m, _ := v.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if key == "" || len([]rune(key)) > 128 || strings.HasPrefix(strings.ToLower(key), "aws:") {
				return fmt.Sprintf("tag key %q: want 1 to 128 characters not starting with aws:", key)
			}
		}
		return ""
	})
}
