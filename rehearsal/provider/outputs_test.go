package provider

import (
	"regexp"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"cicd/rehearsal/aws/account"
)

// Ids and names as the real provider and AWS form them.
func TestOutputsOf(t *testing.T) {
	w := newWorld(t)
	out := map[string]values{}
	for _, e := range examples {
		o, err := w.declare(e.token, e.name, w.inputs(e))
		if err != nil {
			t.Fatal(err)
		}
		out[e.name] = o
	}
	route := "r-" + w.ids["table"] + "1080289494" // crc32 of 0.0.0.0/0, as in r-rtb-…1080289494 of many a public state
	if got := w.ids["route"]; got != route {
		t.Errorf("id of a route = %s, want %s", got, route)
	}
	application := out["application"]
	if want := application.text("applicationId") + ":web"; w.ids["application"] != want || !regexp.MustCompile(`^[0-9a-f-]{36}:web$`).MatchString(want) {
		t.Errorf("id of an application = %s, want its applicationId and its name: %s", w.ids["application"], want)
	}
	host := out["host"]
	if root := host.block("rootBlockDevice"); root["deleteOnTermination"] != true || host["ebsOptimized"] != false {
		t.Errorf("host = %v, want what EC2 chooses", host)
	}
}

// What a resource keeps is what it has, not what the program says.
func TestKeptInTheAccount(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("")
	e := exampleNamed(t, "host")
	inputs := w.inputs(e)
	delete(inputs, "keyName")
	delete(inputs, "metadataOptions")
	news, _ := toWire(inputs)
	if _, err := w.Update(w.ctx, &pulumirpc.UpdateRequest{Id: w.ids["host"], Urn: urnOf(e.token, e.name), News: news}); err != nil {
		t.Fatal(err)
	}
	r, _ := w.options.Account.Find(account.Instance, "id", w.ids["host"])
	kept := values(r.Properties)
	if kept.text("keyName") != "operator" || kept.block("metadataOptions").number("httpPutResponseHopLimit") != 1 {
		t.Errorf("kept = %v, want the key and the metadata options of before", kept)
	}
}

func TestNamesInChina(t *testing.T) {
	for want, got := range map[string]string{
		"ec2-203-0-113-1.cn-north-1.compute.amazonaws.com.cn": publicName("cn-north-1", "203.0.113.1"),
		"ec2-203-0-113-1.compute-1.amazonaws.com":             publicName("us-east-1", "203.0.113.1"),
		"ip-10-0-1-4.cn-north-1.compute.internal":             privateName("cn-north-1", "10.0.1.4"),
	} {
		if got != want {
			t.Errorf("name = %s, want %s", got, want)
		}
	}
}

// As `ssh-keygen -ef key.pub -m PEM | openssl rsa -RSAPublicKey_in -outform DER | openssl md5 -c` prints it.
func TestFingerprintOfRSA(t *testing.T) {
	const public = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCxJGWIA+s/quWmrxsuGlJbfobGt5kCdCfJmubK9Zqco7onmmb8/UG71LQWwwwkcFs16oHZvEoDm/3vSKzQ88aq0PQQXLVUl99eMemmY4c6Nj5t11yzZvcPv5FCd5mZ9oqJLtLRslXX+5dVzIpVktJzCf0mLXjkQ62dmrrmDKZdiJfAavWvaOvwqbl8qIxpBoG5E2VoJUXAvZ448d9AWnQncgKD1kuF5DLt3pMxPpXsZBOvMAOtF2COtrVccIqFlRiWUJrGZ+SRwzNxKSc11qEV8DYM7TTRROmRkbjN3H1X5T1fqbejeplfP5dJs8r567oAWkLV5kzhEi1vUDSzwjfh"
	if fault := checkPublicKey(public); fault != "" {
		t.Error(fault)
	}
	const want = "38:01:5b:04:24:bb:37:f0:07:4b:47:c4:3f:d7:86:bd"
	if got := fingerprint(&call{in: values{"publicKey": public}}); got != want {
		t.Errorf("fingerprint = %v, want %s", got, want)
	}
}
