package provider

import (
	_ "embed"
	"path"
	"slices"
	"strings"

	"cicd/rehearsal/aws/iam"
)

// words returns the words of an embedded list, without the lines that are comments.
func words(list string) []string {
	var words []string
	for line := range strings.Lines(list) {
		if !strings.HasPrefix(line, "#") {
			words = append(words, strings.Fields(line)...)
		}
	}
	return words
}

//go:embed service-principals.txt
var servicePrincipalList string

var servicePrincipals = words(servicePrincipalList)

// knownService reports whether a service principal exists, in some partition and for some region.
func knownService(principal string) bool {
	name, ok := strings.CutSuffix(strings.TrimSuffix(principal, ".cn"), ".amazonaws.com")
	if at := strings.LastIndex(name, "."); at > 0 && isRegion(name[at+1:]) {
		name = name[:at]
	}
	return ok && slices.Contains(servicePrincipals, name)
}

// iamResources are how resources of IAM begin. Source: IAM's own message, in getmoto/moto, iam/policy_validation.py.
var iamResources = []string{"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/",
	"policy/", "sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/"}

// regionalS3 are how S3's resources begin that do have a region and an account. Source: Service Authorization
// Reference, "Resource types defined by Amazon S3".
var regionalS3 = []string{"accesspoint/", "job/", "storage-lens/", "storage-lens-group/", "async-request/", "access-grants/"}

// misshapen returns what IAM says of an ARN whose form its service does not have, or "". It looks at S3 and IAM alone
// (getmoto/moto, iam/policy_validation.py, whose cases were sent to AWS).
func misshapen(resource string) string {
	parts := strings.SplitN(resource, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	service, region, rest := parts[2], parts[3], parts[5]
	begins := func(prefix string) bool { return strings.HasPrefix(rest, prefix) }
	switch {
	case service == "s3" && region != "" && !strings.ContainsAny(rest[:min(1, len(rest))], "*?") && !slices.ContainsFunc(regionalS3, begins):
		return "Resource " + resource + " can not contain region information"
	case service == "iam" && region != "" && region != "*":
		return "IAM resource " + resource + " cannot contain region information"
	case service == "iam" && rest != "*" && !strings.ContainsAny(rest, "*?$") && !slices.ContainsFunc(iamResources, begins):
		return `IAM resource path must either be "*" or start with ` + strings.Join(iamResources, ", ") + ": " + resource
	}
	return ""
}

//go:embed s3-actions.txt
var s3ActionList string

var s3Actions = words(s3ActionList)

// ofObjects reports whether an action of S3 is on objects; the others are on buckets, or on neither.
func ofObjects(action string) bool {
	switch action {
	case "AbortMultipartUpload", "ListMultipartUploadParts", "BypassGovernanceRetention", "ReplicateDelete", "ReplicateTags":
		return true
	}
	return strings.Contains(action, "Object") && !strings.Contains(action, "ObjectLambda") && !strings.Contains(action, "BucketObjectLock")
}

// checkS3Actions reports actions that S3 does not have, and those that fit none of their statement's resources.
func checkS3Actions(s iam.Statement, fault func(format string, args ...any)) {
	isObject := func(resource string) bool { return strings.Contains(resource, "/") || strings.HasSuffix(resource, "*") }
	isBucket := func(resource string) bool { return !strings.Contains(resource, "/") }
	objects, buckets := slices.ContainsFunc(s.Resources, isObject), slices.ContainsFunc(s.Resources, isBucket)
	for _, action := range s.Actions {
		pattern := strings.ToLower(action)
		if len(pattern) > len("s3:") && strings.HasPrefix(pattern, "s3:") {
			pattern = pattern[len("s3:"):]
		}
		known, fits := false, s.NotActions || s.NotResources || len(s.Resources) == 0
		for _, name := range s3Actions {
			if matched, _ := path.Match(pattern, strings.ToLower(name)); matched {
				known = true
				fits = fits || ofObjects(name) && objects || !ofObjects(name) && buckets
			}
		}
		switch {
		case !known:
			fault("Policy has invalid action: %q", action)
		case !fits:
			fault("Action does not apply to any resource(s) in statement: %q", action)
		}
	}
}
