package permissions

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"cicd/rehearsal/aws/iam"
)

// probe is a request that the policies must refuse.
type probe struct {
	what string
	send func(*iam.Authority) error
}

// refused returns nil if the request is refused, and otherwise what is wrong.
func (p probe) refused(authority *iam.Authority) error {
	err := p.send(authority)
	var denied *iam.DeniedError
	if errors.As(err, &denied) {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%s is allowed: restore the condition or principal that refuses it", p.what)
}

// foreignAccount is nobody's.
const foreignAccount = "999999999999"

// probes derives from allowed requests what must not be allowed: another service assuming a role, or the same one for
// somebody else's resource (IAM User Guide, "The confused deputy problem"), and artifacts read or written without TLS.
func probes(allowed []iam.Use) []probe {
	var services []string
	for _, u := range allowed {
		if u.Service != "" && !slices.Contains(services, u.Service) {
			services = append(services, u.Service)
		}
	}
	var list []probe
	for _, u := range allowed {
		switch {
		case u.Service != "":
			for _, service := range services {
				if service != u.Service {
					list = append(list, assumption(u.Role, service, u.Source))
				}
			}
			if u.Source != "" {
				list = append(list, assumption(u.Role, u.Service, inAccount(u.Source, foreignAccount)),
					assumption(u.Role, u.Service, otherName(u.Source)))
			}
		case strings.HasPrefix(u.Action, "s3:"):
			list = append(list, probe{
				what: fmt.Sprintf("%s on %s by %s without TLS", u.Action, u.Resource, u.Role),
				send: func(a *iam.Authority) error {
					return a.Authorize(iam.Session{RoleARN: u.Role, Name: "probe", PlainHTTP: true}, u.Action, u.Resource)
				},
			})
		}
	}
	return list
}

func assumption(role, service, source string) probe {
	return probe{
		what: fmt.Sprintf("that %s assumes %s for %s", service, role, source),
		send: func(a *iam.Authority) error {
			_, err := a.AssumeRole(role, service, "probe", source)
			return err
		},
	}
}

// inAccount returns the ARN of the resource with the same name in another account.
func inAccount(source, account string) string {
	a, _ := arn.Parse(source) // a service always assumes a role for an ARN
	a.AccountID = account
	return a.String()
}

// otherName returns the ARN of another resource of the same kind: project/a becomes project/other-a.
func otherName(source string) string {
	a, _ := arn.Parse(source)
	start := strings.IndexAny(a.Resource, ":/") + 1 // 0 if there is only a name
	a.Resource = a.Resource[:start] + "other-" + a.Resource[start:]
	return a.String()
}
