package provider

import (
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

func TestRefusesNetworks(t *testing.T) {
	refuses(t, []refusal{
		{"vpc", "cidrBlock", "10.0.0.0/8", "must be /16 to /28"},
		{"vpc", "cidrBlock", "10.0.0.1/16", `did you mean "10.0.0.0/16"`},
		{"subnet", "cidrBlock", "10.1.1.0/24", "InvalidSubnet.Range"},
		{"subnet", "availabilityZone", "us-east-1z", "availability zones: us-east-1a"},
		{"route", "destinationIpv6CidrBlock", "::/0", "exactly one of"},
		{"http", "cidrIpv6", "::/0", "exactly one of"},
		{"http", "cidrIpv4", nil, "exactly one of"},
		{"http", "cidrIpv4", "203.0.113.7", "not a valid CIDR block"},
		{"http", "toPort", 79.0, "Invalid tcp port range"},
		{"http", "toPort", nil, "Invalid tcp port range"},
		{"http", "ipProtocol", "http", "Unknown protocol"},
		{"out", "fromPort", 0.0, "ports must not be set"},
		{"key", "publicKey", "ssh-ed25519 bm9uc2Vuc2U= me", "InvalidKey.Format"},
		{"key", "publicKey", "ecdsa-sha2-nistp256 AAAA me", "InvalidKey.Format"},
	})
}

func TestRefusesSubnetOverlap(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("gateway")
	_, err := w.declare(account.Subnet, "second", values{"vpcId": w.ids["vpc"], "cidrBlock": "10.0.1.128/25"})
	if err == nil || !strings.Contains(err.Error(), "InvalidSubnet.Conflict") {
		t.Errorf("error = %v, want InvalidSubnet.Conflict", err)
	}
}

func TestRefusesAddressWithoutGateway(t *testing.T) {
	w := newWorld(t)
	for _, e := range examples {
		switch e.name {
		case "gateway", "route":
			continue
		}
		_, err := w.declare(e.token, e.name, w.inputs(e))
		if e.name == "address-association" {
			if err == nil || !strings.Contains(err.Error(), "Gateway.NotAttached") {
				t.Errorf("error = %v, want Gateway.NotAttached", err)
			}
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", e.name, err)
		}
	}
}

func TestRefusesTypeThatZoneLacks(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("subnet")
	subnet := exampleNamed(t, "subnet")
	if _, err := w.declare(account.Subnet, "subnet", with(t, w.inputs(subnet), "availabilityZone", "us-east-1e")); err != nil {
		t.Fatal(err)
	}
	host := exampleNamed(t, "host")
	_, err := w.declare(account.Instance, "host", with(t, w.inputs(host), "keyName", nil))
	if err == nil || !strings.Contains(err.Error(), "not supported in your requested Availability Zone (us-east-1e)") {
		t.Errorf("error = %v, want Unsupported", err)
	}
}

func TestRefusesOptimizationOfT2(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("host")
	e := exampleNamed(t, "host")
	inputs := with(t, w.inputs(e), "ebsOptimized", true)
	if _, err := w.declare(e.token, e.name, with(t, inputs, "instanceType", "t2.micro")); err == nil || !strings.Contains(err.Error(), "EBS-optimized instances are not supported") {
		t.Errorf("t2.micro: error = %v, want Unsupported", err)
	}
	if _, err := w.declare(e.token, e.name, inputs); err != nil {
		t.Error(err)
	}
}
