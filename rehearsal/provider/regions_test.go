package provider

import (
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

func TestServicesOfARegion(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-1":      "",
		"af-south-1":     "lookup codeconnections.af-south-1.amazonaws.com: no such host",
		"ap-southeast-6": "lookup codeconnections.ap-southeast-6.amazonaws.com: no such host",
		"cn-north-1":     "lookup codeconnections.cn-north-1.amazonaws.com.cn: no such host",
	} {
		w := newWorld(t)
		w.ctx.Value(sessionKey{}).(*session).region = region
		w.options.Account.SetRegion(region)
		_, err := w.declare(account.Connection, "connection", values{"name": "github", "providerType": "GitHub"})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("connection in %s: error = %v, want %q", region, err, want)
		}
	}
	w := newWorld(t)
	w.declareUntil("pipeline")
	w.ctx.Value(sessionKey{}).(*session).region = "ca-west-1"
	w.options.Account.SetRegion("ca-west-1")
	e := exampleNamed(t, "pipeline")
	if _, err := w.declare(e.token, e.name, w.inputs(e)); err == nil || !strings.Contains(err.Error(), "lookup codepipeline.ca-west-1.amazonaws.com: no such host") {
		t.Errorf("pipeline in ca-west-1: error = %v, want that there is none", err)
	}
	for _, region := range []string{"ap-southeast-6", "us-gov-west-1"} {
		if !isRegion(region) {
			t.Errorf("%s cannot be rehearsed", region)
		}
	}
}
