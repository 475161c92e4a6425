package api

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// hostID and otherID are declared instances, noneID is none.
const (
	hostID  = "i-0123456789abcdef0"
	otherID = "i-0123456789abcdef1"
	noneID  = "i-0123456789abcdef2"
)

// newHosts makes two instances, the first with an Elastic IP. The session may do everything.
func newHosts(t *testing.T) (*fixture, *sdkec2.Client) {
	f := newFixture(t)
	f.grant(everything)
	put(f.account, account.Instance, hostID, map[string]any{"ami": "ami-01234567", "instanceType": "t3.micro", "privateIp": "10.0.0.4", "publicIp": "203.0.113.9",
		"availabilityZone": "eu-central-1a", "tags": map[string]any{"DeploymentTarget": "cicd-dev", "Name": "cicd*dev"}})
	put(f.account, account.EIPAssociation, "eipassoc", map[string]any{"instanceId": hostID, "publicIp": "203.0.113.1"})
	put(f.account, account.Instance, otherID, map[string]any{"instanceState": "stopped", "publicIp": "203.0.113.2", "tagsAll": map[string]any{"DeploymentTarget": "cicd-prod"}})
	return f, sdkec2.NewFromConfig(f.config(nil))
}

// described returns the instances that pass filters, in the form tag:KEY=VALUE|VALUE.
func described(t *testing.T, client *sdkec2.Client, filters ...string) []ec2types.Instance {
	t.Helper()
	in := &sdkec2.DescribeInstancesInput{}
	for _, text := range filters {
		name, values, _ := strings.Cut(text, "=")
		in.Filters = append(in.Filters, ec2types.Filter{Name: aws.String(name), Values: strings.Split(values, "|")})
	}
	var all []ec2types.Instance
	for pages := sdkec2.NewDescribeInstancesPaginator(client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Reservations {
			all = append(all, r.Instances...)
		}
	}
	return all
}

func TestDescribeInstances(t *testing.T) {
	_, client := newHosts(t)
	all := described(t, client)
	if len(all) != 2 {
		t.Fatalf("described %d instances, want 2", len(all))
	}
	if i := all[0]; aws.ToString(i.InstanceId) != hostID || aws.ToString(i.ImageId) != "ami-01234567" || i.InstanceType != ec2types.InstanceTypeT3Micro ||
		i.State.Name != ec2types.InstanceStateNameRunning || aws.ToInt32(i.State.Code) != 16 || aws.ToString(i.PrivateIpAddress) != "10.0.0.4" ||
		aws.ToString(i.PublicIpAddress) != "203.0.113.1" || aws.ToString(i.Placement.AvailabilityZone) != "eu-central-1a" || len(i.Tags) != 2 || i.LaunchTime == nil {
		t.Errorf("described %+v", i)
	}
	if i := all[1]; i.State.Name != ec2types.InstanceStateNameStopped || i.PublicIpAddress != nil {
		t.Errorf("described %+v, want it stopped and without an address", i)
	}
	for filters, want := range map[string][]string{
		"tag:DeploymentTarget=cicd-dev":               {hostID},
		"tag:DeploymentTarget=cicd-dev|cicd-prod":     {hostID, otherID},
		"tag:DeploymentTarget=cicd-*":                 {hostID, otherID},
		"tag:DeploymentTarget=cicd-d?v":               {hostID},
		`tag:Name=cicd\*dev`:                          {hostID},
		`tag:DeploymentTarget=cicd\*`:                 nil,
		"tag:DeploymentTarget=cicd":                   nil,
		"tag-key=Name":                                {hostID},
		"instance-state-name=pending|stopped":         {otherID},
		"instance-id=" + otherID:                      {otherID},
		"tag:DeploymentTarget=cicd-*;tag-key=Missing": nil,
	} {
		var ids []string
		for _, i := range described(t, client, strings.Split(filters, ";")...) {
			ids = append(ids, aws.ToString(i.InstanceId))
		}
		if !slices.Equal(ids, want) {
			t.Errorf("%s: %v, want %v", filters, ids, want)
		}
	}
}

func TestEC2Refuses(t *testing.T) {
	f, client := newHosts(t)
	describe := func(change func(*sdkec2.DescribeInstancesInput)) error {
		in := &sdkec2.DescribeInstancesInput{}
		change(in)
		_, err := client.DescribeInstances(t.Context(), in)
		return err
	}
	wantRefusal(t, describe(func(in *sdkec2.DescribeInstancesInput) { in.InstanceIds = []string{hostID, noneID} }),
		"InvalidInstanceID.NotFound", "The instance ID '"+noneID+"' does not exist")
	wantRefusal(t, describe(func(in *sdkec2.DescribeInstancesInput) { in.InstanceIds = []string{"host"} }), "InvalidInstanceID.Malformed", `Invalid id: "host"`)
	wantRefusal(t, describe(func(in *sdkec2.DescribeInstancesInput) { in.MaxResults = aws.Int32(5) }), "InvalidParameter", `unknown parameter "MaxResults"`)
	wantRefusal(t, describe(func(in *sdkec2.DescribeInstancesInput) {
		in.Filters = []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{"x"}}}
	}), "InvalidParameterValue", "The filter 'vpc-id' is invalid")
	_, err := client.RebootInstances(t.Context(), &sdkec2.RebootInstancesInput{InstanceIds: []string{hostID}})
	wantRefusal(t, err, "InvalidAction", "does not serve ec2.RebootInstances")
	f.grant(`{"Effect":"Deny","Action":"*","Resource":"*"}`)
	err = describe(func(*sdkec2.DescribeInstancesInput) {})
	wantRefusal(t, err, "UnauthorizedOperation", "You are not authorized to perform this operation. User: "+f.session.ARN()+" is not authorized to perform: ec2:DescribeInstances")
	wantStatus(t, err, http.StatusForbidden)
}

// A host that stops, and starts again, changes its state once that is done, and what it does happens in order.
func TestStopAndStartInstances(t *testing.T) {
	f, client := newHosts(t)
	var done []string
	hold := map[string]chan struct{}{"stop": make(chan struct{}), "start": make(chan struct{})}
	does := func(what string) func(string) {
		return func(id string) {
			<-hold[what]
			done = append(done, what+" "+id) // the service lets one at a time
		}
	}
	f.instances.ShutDown, f.instances.Boot = does("stop"), does("start")
	stop := func(id string) []ec2types.InstanceStateChange {
		t.Helper()
		out, err := client.StopInstances(t.Context(), &sdkec2.StopInstancesInput{InstanceIds: []string{id}})
		if err != nil {
			t.Fatal(err)
		}
		return out.StoppingInstances
	}
	start := func(id string) ([]ec2types.InstanceStateChange, error) {
		out, err := client.StartInstances(t.Context(), &sdkec2.StartInstancesInput{InstanceIds: []string{id}})
		if err != nil {
			return nil, err
		}
		return out.StartingInstances, nil
	}
	wants := func(changes []ec2types.InstanceStateChange, before, now ec2types.InstanceStateName) {
		t.Helper()
		if len(changes) != 1 || aws.ToString(changes[0].InstanceId) != hostID || changes[0].PreviousState.Name != before || changes[0].CurrentState.Name != now {
			t.Errorf("changed %+v, want from %s to %s", changes, before, now)
		}
	}
	wants(stop(hostID), "running", "stopping")
	wants(stop(hostID), "stopping", "stopping")
	_, err := start(hostID)
	wantRefusal(t, err, "IncorrectInstanceState", "The instance '"+hostID+"' is not in a state from which it can be started.")
	close(hold["stop"])
	f.instances.Close()
	wants(stop(hostID), "stopped", "stopped")
	started, err := start(hostID)
	if err != nil {
		t.Fatal(err)
	}
	wants(started, "stopped", "pending")
	wants(stop(hostID), "pending", "stopping")
	close(hold["start"])
	f.instances.Close()
	if want := []string{"stop " + hostID, "start " + hostID, "stop " + hostID}; !slices.Equal(done, want) {
		t.Errorf("did %q, want %q", done, want)
	}
	if i := described(t, client, "instance-id="+hostID)[0]; i.State.Name != "stopped" || aws.ToString(i.PublicIpAddress) != "203.0.113.1" {
		t.Errorf("in the end it is %+v, with %s, want stopped, with its Elastic IP", i.State, aws.ToString(i.PublicIpAddress))
	}
	if _, err := start(hostID); err != nil {
		t.Fatal(err)
	}
	f.instances.Close()
	if again, err := start(hostID); err != nil {
		t.Error(err)
	} else {
		wants(again, "running", "running")
	}
}

// Policies see which instance it is: its ARN and its tags.
func TestStopInstancesIsAuthorized(t *testing.T) {
	f, client := newHosts(t)
	f.instances.ShutDown = func(string) {}
	stop := func(ids ...string) error {
		_, err := client.StopInstances(t.Context(), &sdkec2.StopInstancesInput{InstanceIds: append([]string{}, ids...)})
		return err
	}
	tagged := func(key, value string) {
		f.grant(`{"Effect":"Allow","Action":"ec2:StopInstances","Resource":"arn:aws:ec2:eu-central-1:123456789012:instance/*",
			"Condition":{"StringEquals":{"` + key + `":"` + value + `","ec2:Region":"eu-central-1"}}}`)
	}
	wantRefusal(t, stop(), "MissingParameter", "InstanceId")
	wantRefusal(t, stop(hostID, noneID), "InvalidInstanceID.NotFound", noneID)
	for _, key := range []string{"aws:ResourceTag/DeploymentTarget", "ec2:ResourceTag/DeploymentTarget"} {
		tagged(key, "cicd-prod")
		wantRefusal(t, stop(hostID), "UnauthorizedOperation", "is not authorized to perform: ec2:StopInstances on resource: arn:aws:ec2:eu-central-1:123456789012:instance/"+hostID)
		wantRefusal(t, stop(otherID, hostID), "UnauthorizedOperation", hostID)
		tagged(key+"s", "cicd-dev") // a tag that it lacks
		wantRefusal(t, stop(hostID), "UnauthorizedOperation", hostID)
		tagged(key, "cicd-dev")
		if err := stop(hostID); err != nil {
			t.Error(err)
		}
	}
	f.instances.Close()
}

// EC2 has one name for whatever is wrong with credentials.
func TestEC2Unauthenticated(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*aws.Config, *iam.Credentials)
		dead   bool
		want   string
		status int
	}{
		"wrong secret": {func(_ *aws.Config, c *iam.Credentials) { c.SecretAccessKey += "x" }, false, "AuthFailure", http.StatusUnauthorized},
		"unknown key":  {func(_ *aws.Config, c *iam.Credentials) { c.AccessKeyID = "ASIAUNKNOWN" }, false, "AuthFailure", http.StatusUnauthorized},
		"expired":      {nil, true, "RequestExpired", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.live = !tt.dead
			_, err := sdkec2.NewFromConfig(f.config(tt.change)).DescribeInstances(t.Context(), nil)
			wantRefusal(t, err, tt.want, "")
			wantStatus(t, err, tt.status)
		})
	}
}

func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != status || response.ServiceRequestID() == "" {
		t.Errorf("error %v, want status %d and the request's ID", err, status)
	}
}

func TestDecodeForm(t *testing.T) {
	type request struct {
		Name   string
		Count  int
		Force  bool
		IDs    []string `query:"Id"`
		Nested []struct {
			Key  string
			Deep struct{ Values []string }
		}
	}
	var got request
	form := url.Values{"Action": {"A"}, "Version": {"2016-11-15"}, "Name": {"n"}, "Count": {"3"}, "Force": {"true"}, "Id.1": {"a"}, "Id.2": {"b"},
		"Nested.1.Key": {"k"}, "Nested.2.Deep.Values.1": {"v"}}
	if err := decodeForm(form, &got); err != nil || got.Name != "n" || got.Count != 3 || !got.Force || !slices.Equal(got.IDs, []string{"a", "b"}) ||
		len(got.Nested) != 2 || got.Nested[0].Key != "k" || !slices.Equal(got.Nested[1].Deep.Values, []string{"v"}) {
		t.Errorf("decoded %+v, %v", got, err)
	}
	for text, want := range map[string]string{
		"Other=1":       `unknown parameter "Other"`,
		"Nested.1.No=1": `unknown parameter "Nested.1.No"`,
		"Count=many":    "parameter Count",
		"Force=perhaps": "parameter Force",
	} {
		form, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := decodeForm(form, &request{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
}
