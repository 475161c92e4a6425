package provider

import (
	"fmt"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

func TestRecords(t *testing.T) {
	for name, want := range map[string]string{
		"shop.example.com": "shop.example.com", "Shop.Example.com.": "shop.example.com", "example.com": "example.com", "": "example.com",
		"shop": "shop.example.com", "shop.example.org": "shop.example.org.example.com",
	} {
		w := newWorld(t)
		e := exampleNamed(t, "record")
		out, err := w.declare(e.token, e.name, with(t, w.inputs(e), "name", name))
		if err != nil || out.text("fqdn") != want || w.ids["record"] != "Z0EXAMPLE_"+strings.ToLower(name)+"_A" {
			t.Errorf("%q: fqdn = %q, id = %q, %v, want %s", name, out.text("fqdn"), w.ids["record"], err, want)
		}
	}
}

func TestRefusesRecords(t *testing.T) {
	refuses(t, []refusal{
		{"record", "zoneId", "Z0GONE", "NoSuchHostedZone"},
		{"record", "zoneId", nil, "missing required property"},
		{"record", "name", "myexample.com", "RRSet with DNS name myexample.com. is not permitted in zone example.com."},
		{"record", "type", "AAAA", "records of type A alone"},
		{"record", "ttl", nil, "Missing field 'TTL'"},
		{"record", "ttl", -1.0, "want 0 to 2147483647"},
		{"record", "records", nil, "one of `alias,records` must be specified"},
		{"record", "records", []any{}, "0 items"},
		{"record", "records.0", "2001:db8::1", "not a valid IPv4 address"},
		{"record", "records.0", "shop.example.net", "not a valid IPv4 address"},
		{"record", "setIdentifier", "blue", "unknown property"},
	})
}

// A record that is there already is somebody else's, unless the program says that it may be overwritten.
func TestRefusesSecondRecord(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("")
	inputs := with(t, w.inputs(exampleNamed(t, "record")), "name", "SHOP.example.com.")
	if _, err := w.declare(account.Record, "second", inputs); err == nil || !strings.Contains(err.Error(), "[name='shop.example.com.', type='A'] but it already exists") {
		t.Errorf("error = %v, want that it exists", err)
	}
	if _, err := w.declare(account.Record, "second", with(t, inputs, "allowOverwrite", true)); err != nil {
		t.Errorf("with allowOverwrite: %v", err)
	}
}

func TestDiffOfRecords(t *testing.T) {
	diffs(t, []change{
		{"record", "name", "www.example.com", replace, "name"},
		{"record", "name", "SHOP.example.com.", same, ""},
		{"record", "zoneId", "Z0OTHER", replace, "zoneId"},
		{"record", "ttl", 300.0, update, "ttl"},
		{"record", "records", []any{"203.0.113.8"}, update, "records"},
		{"record", "allowOverwrite", nil, same, ""},
	})
}

func TestZones(t *testing.T) {
	const token = "aws:route53/getZone:getZone"
	for name, tt := range map[string]struct {
		args values
		want string
	}{
		"id":               {values{"zoneId": "Z0EXAMPLE"}, "Z0EXAMPLE example.com false"},
		"id, private":      {values{"zoneId": "Z0PRIVATE"}, "Z0PRIVATE example.com true"},
		"name":             {values{"name": "example.com."}, "Z0EXAMPLE"},
		"name, private":    {values{"name": "Example.com", "privateZone": true}, "Z0PRIVATE"},
		"neither":          {values{}, "no matching Route 53 Hosted Zone found"},
		"none":             {values{"zoneId": "Z0GONE"}, "no matching Route 53 Hosted Zone found"},
		"none of the name": {values{"name": "example.org"}, "no matching Route 53 Hosted Zone found"},
		"two":              {values{"zoneId": "Z0PRIVATE", "name": "example.com"}, "multiple Route 53 Hosted Zones matched"},
	} {
		out, err := newWorld(t).invoke("us-east-1", token, tt.args)
		got := fmt.Sprint(out["zoneId"], " ", out["name"], " ", out["privateZone"])
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}
