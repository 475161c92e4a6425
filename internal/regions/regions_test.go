package regions

import "testing"

func TestRegions(t *testing.T) {
	for _, tt := range []struct {
		name, partition                string
		pipelines, builds, connections bool
	}{
		{"us-east-1", "aws", true, true, true},
		{"ca-west-1", "aws", false, false, false},
		{"ap-southeast-6", "aws", true, true, false},
		{"ap-southeast-7", "aws", false, true, false},
		{"af-south-1", "aws", true, true, false},
		{"cn-north-1", "aws-cn", true, true, false},
		{"us-gov-east-1", "aws-us-gov", true, true, true},
		{"us-gov-west-1", "aws-us-gov", true, true, false},
		{"eusc-de-east-1", "aws-eusc", false, false, false},
	} {
		r, ok := Find(tt.name)
		if !ok || r.Partition != tt.partition || r.Has(Pipelines) != tt.pipelines || r.Has(Builds) != tt.builds || r.Has(Connections) != tt.connections {
			t.Errorf("%s = %+v, want %+v", tt.name, r, tt)
		}
	}
	if _, ok := Find("eu-center-1"); ok {
		t.Error("found eu-center-1")
	}
	if n := len(All()); n < 44 {
		t.Errorf("%d regions, want all of botocore's", n)
	}
	if got := With("aws-cn", Connections); len(got) != 0 {
		t.Errorf("connections in China: %v", got)
	}
}
