package api

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkquotas "github.com/aws/aws-sdk-go-v2/service/servicequotas"
)

// TestQuotas: a limit without a value of the account's own is only among AWS's defaults.
func TestQuotas(t *testing.T) {
	f := newFixture(t)
	f.grant(everything)
	client, ctx := sdkquotas.NewFromConfig(f.config(nil)), t.Context()
	addresses := &sdkquotas.GetServiceQuotaInput{ServiceCode: aws.String("ec2"), QuotaCode: aws.String("L-0263D0A3")}
	_, err := client.GetServiceQuota(ctx, addresses)
	wantRefusal(t, err, "NoSuchResourceException", "L-0263D0A3")
	usual, err := client.GetAWSDefaultServiceQuota(ctx, &sdkquotas.GetAWSDefaultServiceQuotaInput{ServiceCode: addresses.ServiceCode, QuotaCode: addresses.QuotaCode})
	if err != nil || aws.ToFloat64(usual.Quota.Value) != 5 || aws.ToString(usual.Quota.QuotaName) != "EC2-VPC Elastic IPs" || !usual.Quota.Adjustable {
		t.Errorf("the default is %+v, %v", usual, err)
	}
	f.quotas.Set("L-0263D0A3", 20)
	own, err := client.GetServiceQuota(ctx, addresses)
	if err != nil || aws.ToFloat64(own.Quota.Value) != 20 {
		t.Errorf("the account's is %+v, %v", own, err)
	}
	pages, codes := sdkquotas.NewListAWSDefaultServiceQuotasPaginator(client, &sdkquotas.ListAWSDefaultServiceQuotasInput{ServiceCode: aws.String("codebuild")}), 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		codes += len(page.Quotas)
	}
	if codes != 2 {
		t.Errorf("%d defaults of codebuild, want 2", codes)
	}
	list, err := client.ListServiceQuotas(ctx, &sdkquotas.ListServiceQuotasInput{ServiceCode: aws.String("ec2")})
	if err != nil || len(list.Quotas) != 1 || aws.ToString(list.Quotas[0].QuotaCode) != "L-0263D0A3" {
		t.Errorf("the account's are %+v, %v", list, err)
	}
	_, err = client.ListServiceQuotas(ctx, &sdkquotas.ListServiceQuotasInput{ServiceCode: aws.String("nothing")})
	wantRefusal(t, err, "NoSuchResourceException", "nothing")
	f.grant(`{"Effect":"Allow","Action":"servicequotas:ListServiceQuotas","Resource":"*"}`)
	_, err = client.GetServiceQuota(ctx, addresses)
	wantRefusal(t, err, "AccessDeniedException", "servicequotas:GetServiceQuota")
}
