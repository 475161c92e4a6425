package operations

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
)

// Quota is one of an account's limits in a region.
type Quota struct {
	// Service and Code name it, as in `aws service-quotas request-service-quota-increase`.
	Service, Code string
	// Name is what people call it.
	Name  string
	Value float64
}

// quotaRemedies are for the errors of Service Quotas (Service Quotas API reference, GetServiceQuota).
var quotaRemedies = remedies{
	"NoSuchResourceException": "To do: look for it in the console of Service Quotas.",
}

// Quotas reads the account's limits.
type Quotas struct {
	stack  Stack
	client *servicequotas.Client
}

// OpenQuotas finds credentials for the limits in a stack's region.
func OpenQuotas(ctx context.Context, stack Stack) (*Quotas, error) {
	settings, err := stack.connect(ctx)
	if err != nil {
		return nil, err
	}
	return &Quotas{stack, servicequotas.NewFromConfig(settings)}, nil
}

// ByCode returns a service's limit: the account's own, or else AWS's default, since some have no applied value (Service
// Quotas API reference, GetServiceQuota).
func (q *Quotas) ByCode(ctx context.Context, service, code string) (Quota, error) {
	own, err := q.client.GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{ServiceCode: aws.String(service), QuotaCode: aws.String(code)})
	if err == nil {
		return quotaOf(*own.Quota), nil
	}
	thing := fmt.Sprintf("quota %s of %s", code, service)
	if err = q.stack.explain(ctx, thing, err, quotaRemedies); !Absent(err) {
		return Quota{}, err
	}
	usual, err := q.client.GetAWSDefaultServiceQuota(ctx, &servicequotas.GetAWSDefaultServiceQuotaInput{ServiceCode: aws.String(service), QuotaCode: aws.String(code)})
	if err != nil {
		return Quota{}, q.stack.explain(ctx, thing, err, quotaRemedies)
	}
	return quotaOf(*usual.Quota), nil
}

// ByName returns a limit by the name that the manual gives it, for one whose code the manual does not have.
func (q *Quotas) ByName(ctx context.Context, service, name string) (Quota, error) {
	thing := "quotas of " + service
	own := servicequotas.NewListServiceQuotasPaginator(q.client, &servicequotas.ListServiceQuotasInput{ServiceCode: aws.String(service)})
	for own.HasMorePages() {
		page, err := own.NextPage(ctx)
		if err != nil {
			return Quota{}, q.stack.explain(ctx, thing, err, quotaRemedies)
		}
		if found, ok := quotaNamed(page.Quotas, name); ok {
			return found, nil
		}
	}
	usual := servicequotas.NewListAWSDefaultServiceQuotasPaginator(q.client, &servicequotas.ListAWSDefaultServiceQuotasInput{ServiceCode: aws.String(service)})
	for usual.HasMorePages() {
		page, err := usual.NextPage(ctx)
		if err != nil {
			return Quota{}, q.stack.explain(ctx, thing, err, quotaRemedies)
		}
		if found, ok := quotaNamed(page.Quotas, name); ok {
			return found, nil
		}
	}
	return Quota{}, fmt.Errorf("quotas of %s: none is called %q\nTo do: look for it in the console of Service Quotas", service, name)
}

// quotaNamed finds a limit by its name.
func quotaNamed(quotas []types.ServiceQuota, name string) (Quota, bool) {
	for _, quota := range quotas {
		if aws.ToString(quota.QuotaName) == name {
			return quotaOf(quota), true
		}
	}
	return Quota{}, false
}

func quotaOf(quota types.ServiceQuota) Quota {
	return Quota{aws.ToString(quota.ServiceCode), aws.ToString(quota.QuotaCode), aws.ToString(quota.QuotaName), aws.ToFloat64(quota.Value)}
}
