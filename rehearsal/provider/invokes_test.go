package provider

import (
	"fmt"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"cicd/rehearsal/aws/instancetypes"
)

// invoke calls a function in a region and returns its result, or everything that it rejected.
func (w *world) invoke(region, token string, args values) (values, error) {
	w.t.Helper()
	w.ctx.Value(sessionKey{}).(*session).region = region
	in, err := toWire(args)
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := w.Invoke(w.ctx, &pulumirpc.InvokeRequest{Tok: token, Args: in})
	if err != nil {
		return nil, err
	}
	for _, failure := range response.Failures {
		return nil, fmt.Errorf("%s", failure.Reason)
	}
	return fromWire(response.Return), nil
}

func TestFunctions(t *testing.T) {
	const zonesToken, offeringsToken, parameterToken = "aws:index/getAvailabilityZones:getAvailabilityZones", "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings", "aws:ssm/getParameter:getParameter"
	filter := func(name, value string) []any {
		return []any{map[string]any{"name": name, "values": []any{value}}}
	}
	tests := []struct {
		name, region, token string
		args                values
		output              string
		want                any
	}{
		{"account", "us-east-1", "aws:index/getCallerIdentity:getCallerIdentity", nil, "accountId", "123456789012"},
		{"partition", "us-gov-west-1", "aws:index/getPartition:getPartition", nil, "partition", "aws-us-gov"},
		{"suffix in China", "cn-north-1", "aws:index/getPartition:getPartition", nil, "dnsSuffix", "amazonaws.com.cn"},
		{"zones", "ap-northeast-1", zonesToken, values{"state": "available"}, "names", []any{"ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d"}},
		{"zone ids", "ap-northeast-1", zonesToken, nil, "zoneIds", []any{"apne1-az1", "apne1-az2", "apne1-az3"}},
		{"zones less one", "eu-west-1", zonesToken, values{"excludeNames": []any{"eu-west-1a"}}, "names", []any{"eu-west-1b", "eu-west-1c"}},
		{"local zones", "eu-west-1", zonesToken, values{"filters": filter("zone-type", "local-zone")}, "names", []any{}},
		{"offered", "eu-west-1", offeringsToken, values{"filters": filter("instance-type", "t4g.small")}, "instanceTypes", []any{"t4g.small"}},
		{"not offered", "eu-west-1", offeringsToken, values{"filters": filter("instance-type", "t9.small")}, "instanceTypes", []any{}},
		{"zones that offer", "us-east-1", offeringsToken, values{"locationType": "availability-zone", "filters": filter("instance-type", "t3.micro")}, "locations",
			[]any{"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d", "us-east-1f"}},
		{"image", "us-east-1", parameterToken, values{"name": "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"}, "value", exampleImage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := newWorld(t).invoke(tt.region, tt.token, tt.args)
			if err != nil || fmt.Sprint(out[tt.output]) != fmt.Sprint(tt.want) {
				t.Errorf("%s = %v, %v, want %v", tt.output, out[tt.output], err, tt.want)
			}
		})
	}
}

func TestFunctionsRefuse(t *testing.T) {
	tests := []struct {
		name, token string
		args        values
		want        string
	}{
		{"unknown function", "aws:ec2/getAmi:getAmi", nil, "function aws:ec2/getAmi:getAmi: the rehearsal does not know it"},
		{"unknown argument", "aws:index/getAvailabilityZones:getAvailabilityZones", values{"zones": 3.0}, "zones: unknown property"},
		{"unknown filter", "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings", values{"filters": []any{map[string]any{"name": "type", "values": []any{"t3"}}}}, "expected one of"},
		{"another parameter", "aws:ssm/getParameter:getParameter", values{"name": "/my/secret"}, "ParameterNotFound"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := newWorld(t).invoke("us-east-1", tt.token, tt.args); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one containing %q", err, tt.want)
			}
		})
	}
}

// Every image that a parameter names can be launched on instance types of its architecture.
func TestImageArchitecture(t *testing.T) {
	for _, architecture := range []string{instancetypes.X86, instancetypes.ARM64} {
		image := imageOf("eu-west-1", "/aws/service/ami-amazon-linux-latest/al2023-ami-minimal-kernel-6.1-"+architecture)
		if got := imageArchitecture("eu-west-1", image); got != architecture {
			t.Errorf("architecture of %s = %q, want %q", image, got, architecture)
		}
		if got := imageArchitecture("eu-west-2", image); got != "" {
			t.Errorf("image of eu-west-1 has architecture %q in eu-west-2, want it not to exist there", got)
		}
	}
}
