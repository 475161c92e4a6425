package iam

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"cicd/rehearsal/aws/account"
)

// DeniedError says that the declared policies denied a request.
type DeniedError struct {
	// Principal made the request: "User: " and an assumed-role ARN or, for sts:AssumeRole, an AWS service.
	Principal string
	// Role is the ARN of the session's role, or of the role that was to be assumed.
	Role string
	// Component is the type name of the component that declares the role, such as "Build"; "" if none.
	Component string
	// Action and Resource are what was denied.
	Action, Resource string
	// Reason is AWS's wording of the reason, such as "because no identity-based policy allows the s3:GetObject action".
	Reason string
	// Remedy says what to change in the program, including the statement that would allow the request, as JSON.
	Remedy string
}

// Message returns the error as AWS words it (IAM User Guide, "Troubleshoot access denied error messages").
func (e *DeniedError) Message() string {
	return fmt.Sprintf("%s is not authorized to perform: %s on resource: %s %s", e.Principal, e.Action, e.Resource, e.Reason)
}

// Error returns Message and Remedy.
func (e *DeniedError) Error() string { return e.Message() + "; " + e.Remedy }

// denied explains why r is denied. The missing statement belongs in a policy of kind k, unless a policy of another
// kind denies the request explicitly.
func denied(r request, role account.Resource, k Kind, v verdict) *DeniedError {
	e := &DeniedError{
		Principal: r.principal.String(),
		Role:      role.String("arn"),
		Component: component(role.URN),
		Action:    r.action,
		Resource:  r.resource,
	}
	if d := v.deniedBy; d != nil {
		article := map[Kind]string{IdentityPolicy: "an", TrustPolicy: "the"}[d.kind]
		e.Reason = fmt.Sprintf("with an explicit deny in %s %s", cmp.Or(article, "a"), d.kind.awsName())
		e.Remedy = fmt.Sprintf("%s of %q%s denies it: no other statement can allow it while that one applies",
			d.statement, d.policy, inComponent(component(d.urn)))
		return e
	}
	subject, name, where := "role", role.Name, e.Component
	switch {
	case k == TrustPolicy:
		subject = "the trust policy of role"
	case v.blockedBy != nil:
		k, subject, name, where = KeyPolicy, "the key policy of", v.blockedBy.name, component(v.blockedBy.urn)
	}
	e.Reason = fmt.Sprintf("because no %s allows the %s action", k.awsName(), r.action)
	e.Remedy = fmt.Sprintf("%s %q%s needs the statement %s", subject, name, inComponent(where), missing(k, r))
	if len(v.nearMisses) > 0 {
		e.Remedy += " (" + strings.Join(v.nearMisses, "; ") + ")"
	}
	return e
}

// undeclared explains that a request's role does not exist.
func undeclared(r request, roleARN string) *DeniedError {
	return &DeniedError{
		Principal: r.principal.String(), Role: roleARN, Action: r.action, Resource: r.resource,
		Reason: "because no such role is declared",
		Remedy: fmt.Sprintf("declare an aws.iam.Role whose ARN is %q, or correct the reference to it", roleARN),
	}
}

func inComponent(name string) string {
	if name == "" {
		return ""
	}
	return " in component " + name
}

// missing returns the statement that would allow r in a policy of kind k, as JSON.
func missing(k Kind, r request) string {
	var s struct {
		Effect    string
		Principal map[string]string `json:",omitempty"`
		Action    string
		Resource  string                       `json:",omitempty"`
		Condition map[string]map[string]string `json:",omitempty"`
	}
	s.Effect, s.Action, s.Resource = "Allow", r.action, grantable(r.resource)
	if k == KeyPolicy {
		s.Principal, s.Resource = map[string]string{"AWS": r.principal.role}, "*" // which means the policy's own key
	}
	if r.principal.service != "" {
		s.Principal, s.Resource = map[string]string{"Service": r.principal.service}, ""
		if source := r.context["aws:SourceArn"]; len(source) == 1 {
			s.Condition = map[string]map[string]string{"ArnEquals": {"aws:SourceArn": source[0]}}
		}
	}
	if _, known := r.context[encryptionContextKeys]; known {
		s.Condition = map[string]map[string]string{"StringEquals": {}}
		for key, values := range r.context {
			if (key == "kms:ViaService" || strings.HasPrefix(key, encryptionContext)) && len(values) == 1 {
				s.Condition["StringEquals"][key] = values[0]
			}
		}
	}
	text, err := json.Marshal(s)
	if err != nil { // strings always marshal
		panic(err)
	}
	return string(text)
}

// grantable returns the resource as a policy would name it, with a pattern for parts of the ARN that are generated at run
// time.
func grantable(resource string) string {
	switch a := arnOf(resource); a.Service {
	case "s3":
		if bucket, _, isObject := strings.Cut(a.Resource, "/"); isObject {
			a.Resource = bucket + "/*"
			return a.String()
		}
	case "kms":
		if a.Resource == "key/"+outsideKeyID {
			a.Resource = "key/*"
			return a.String()
		}
	case "logs":
		if group, _, isStream := strings.Cut(resource, ":log-stream:"); isStream {
			return group + ":*"
		}
	}
	return resource
}

// component returns the type name of the resource's parent component, such as "Build" for
// "urn:pulumi:dev::cicd::cicd:index:Build$aws:iam/role:Role::build-role"; "" if none. Pulumi's documentation of URNs:
// the third part joins the types of a resource's ancestors and its own with "$".
func component(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	if len(parts) < 4 {
		return ""
	}
	types := strings.Split(parts[2], "$")
	if len(types) < 2 {
		return ""
	}
	parent := types[len(types)-2]
	return parent[strings.LastIndex(parent, ":")+1:]
}
