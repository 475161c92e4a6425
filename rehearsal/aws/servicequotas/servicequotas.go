// Package servicequotas stands in for Service Quotas: the limits of an account that a stack meets, at AWS's defaults unless a
// test sets others. Each call is decided by the caller's declared policies. Nothing here enforces a limit.
//
// The source is the service model (2019-06-24). Where it does not have the text of an error, that is made up.
package servicequotas

import (
	"slices"
	"strconv"
	"sync"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/iam"
)

// Quota is a limit.
type Quota struct {
	ServiceCode string
	QuotaCode   string
	QuotaName   string
	Value       float64
	Adjustable  bool
}

// defaults are those that AWS's manuals have for every account: CodeBuild User Guide, "Quotas for AWS CodeBuild"; EC2 User
// Guide, "On-Demand Instance quotas"; VPC User Guide, "Amazon VPC quotas". The manual of CodeBuild has no codes: these two are
// as users of the API list them. Metrics of use, units and ARNs are left out.
var defaults = []Quota{
	{"codebuild", "L-5ED1D25B", "Concurrently running builds for ARM/Small environment", 1, true},
	{"codebuild", "L-9D07B6EF", "Concurrently running builds for Linux/Small environment", 1, true},
	{"ec2", "L-0263D0A3", "EC2-VPC Elastic IPs", 5, true},
	{"ec2", "L-1216C47A", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 5, true},
}

// Service has an account's limits. It is safe for concurrent use.
type Service struct {
	Account   *account.Account
	Authority *iam.Authority

	mu      sync.Mutex
	applied map[string]float64 // by code
}

// Set gives the account a value of its own, as AWS does after a request. It asks for no permission.
func (s *Service) Set(code string, value float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.applied == nil {
		s.applied = map[string]float64{}
	}
	s.applied[code] = value
}

// quotas returns a service's limits: AWS's defaults, or those of the account, which are only the ones with a value of their own.
func (s *Service) quotas(service string, own bool) []Quota {
	s.mu.Lock()
	defer s.mu.Unlock()
	quotas := slices.DeleteFunc(slices.Clone(defaults), func(q Quota) bool { return q.ServiceCode != service })
	if !own {
		return quotas
	}
	var applied []Quota
	for _, q := range quotas {
		if value, ok := s.applied[q.QuotaCode]; ok {
			q.Value = value
			applied = append(applied, q)
		}
	}
	return applied
}

// QuotaInput asks for one limit.
type QuotaInput struct{ ServiceCode, QuotaCode string }

// QuotaOutput has it.
type QuotaOutput struct{ Quota Quota }

// GetServiceQuota returns a limit that has a value of the account's own.
func (s *Service) GetServiceQuota(session iam.Session, in QuotaInput) (QuotaOutput, error) {
	return s.one(session, "servicequotas:GetServiceQuota", in, true)
}

// GetAWSDefaultServiceQuota returns the limit of all accounts.
func (s *Service) GetAWSDefaultServiceQuota(session iam.Session, in QuotaInput) (QuotaOutput, error) {
	return s.one(session, "servicequotas:GetAWSDefaultServiceQuota", in, false)
}

func (s *Service) one(session iam.Session, action string, in QuotaInput, own bool) (QuotaOutput, error) {
	if err := s.authorize(session, action); err != nil {
		return QuotaOutput{}, err
	}
	quotas := s.quotas(in.ServiceCode, own)
	i := slices.IndexFunc(quotas, func(q Quota) bool { return q.QuotaCode == in.QuotaCode })
	if i < 0 {
		return QuotaOutput{}, awserror.New("NoSuchResourceException", "The request failed because the specified service quota does not exist: %s of %s", in.QuotaCode, in.ServiceCode)
	}
	return QuotaOutput{quotas[i]}, nil
}

// ListInput asks for a service's limits, a page at a time.
type ListInput struct {
	ServiceCode string
	MaxResults  int
	NextToken   string
}

// ListOutput is a page.
type ListOutput struct {
	Quotas    []Quota
	NextToken string `json:",omitempty"`
}

// ListServiceQuotas returns the limits that have a value of the account's own.
func (s *Service) ListServiceQuotas(session iam.Session, in ListInput) (ListOutput, error) {
	return s.page(session, "servicequotas:ListServiceQuotas", in, true)
}

// ListAWSDefaultServiceQuotas returns those of all accounts.
func (s *Service) ListAWSDefaultServiceQuotas(session iam.Session, in ListInput) (ListOutput, error) {
	return s.page(session, "servicequotas:ListAWSDefaultServiceQuotas", in, false)
}

// page returns a page of at most MaxResults, or of one: a reader that stops at the first page does not see the rest.
func (s *Service) page(session iam.Session, action string, in ListInput, own bool) (ListOutput, error) {
	if err := s.authorize(session, action); err != nil {
		return ListOutput{}, err
	}
	if len(s.quotas(in.ServiceCode, false)) == 0 {
		return ListOutput{}, awserror.New("NoSuchResourceException", "The request failed because the specified service does not exist: %s", in.ServiceCode)
	}
	quotas := s.quotas(in.ServiceCode, own)
	begin := 0
	if in.NextToken != "" {
		var err error
		if begin, err = strconv.Atoi(in.NextToken); err != nil || begin < 0 || begin > len(quotas) {
			return ListOutput{}, awserror.New("InvalidPaginationTokenException", "Invalid input was provided: %s", in.NextToken)
		}
	}
	end := min(len(quotas), begin+max(in.MaxResults, 1))
	out := ListOutput{Quotas: append([]Quota{}, quotas[begin:end]...)}
	if end < len(quotas) {
		out.NextToken = strconv.Itoa(end)
	}
	return out, nil
}

// authorize asks for a permission. Reading has no resource types (Service Authorization Reference, Service Quotas).
func (s *Service) authorize(session iam.Session, action string) error {
	if err := s.Authority.Authorize(session, action, "*"); err != nil {
		return awserror.Denied(err)
	}
	return nil
}
