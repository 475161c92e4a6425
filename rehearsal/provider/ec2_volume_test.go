package provider

import (
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"cicd/rehearsal/aws/account"
)

// A volume is in one zone and at one instance, and a device name is one volume's.
func TestRefusesAttachments(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("application")
	volume := exampleNamed(t, "volume")
	for name, zone := range map[string]string{"second": "us-east-1b", "elsewhere": "us-east-1a"} {
		if _, err := w.declare(account.Volume, name, with(t, w.inputs(volume), "availabilityZone", zone)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ volume, device, want string }{
		{"volume", "/dev/sdg", "VolumeInUse: " + w.ids["volume"] + " is already attached"},
		{"second", "/dev/sdf", "Attachment point /dev/sdf is already in use"},
		{"elsewhere", "/dev/sdg", "InvalidVolume.ZoneMismatch"},
		{"second", "/dev/sdg", ""},
	} {
		_, err := w.declare(account.VolumeAttachment, "second-attachment", values{"volumeId": w.ids[tt.volume], "deviceName": tt.device, "instanceId": w.ids["host"]})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s as %s: error = %v, want one containing %q", tt.volume, tt.device, err, tt.want)
		}
	}
}

// A volume grows in place, and does not shrink.
func TestSizeOfVolume(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("volume-attachment")
	e := exampleNamed(t, "volume")
	for size, want := range map[float64]string{11: "", 9: "New size cannot be smaller than existing size"} {
		before, err := toWire(w.inputs(e))
		if err != nil {
			t.Fatal(err)
		}
		after, err := toWire(with(t, w.inputs(e), "size", size))
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Update(w.ctx, &pulumirpc.UpdateRequest{Urn: urnOf(e.token, e.name), Id: w.ids["volume"], Olds: before, News: after})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v GiB: error = %v, want %q", size, err, want)
		}
	}
}

// Who detaches a volume from a stopped instance does not start it again, and an attached volume is not deleted.
func TestDetach(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("application")
	remove := func(name string) error {
		_, err := w.Delete(w.ctx, &pulumirpc.DeleteRequest{Urn: urnOf(exampleNamed(t, name).token, name), Id: w.ids[name]})
		return err
	}
	if err := remove("volume"); err == nil || !strings.Contains(err.Error(), "VolumeInUse") {
		t.Errorf("error = %v, want VolumeInUse", err)
	}
	if err := remove("volume-attachment"); err != nil {
		t.Fatal(err)
	}
	host, _ := w.options.Account.Find(account.Instance, "id", w.ids["host"])
	if state := host.String("instanceState"); state != "stopped" {
		t.Errorf("the instance is %s, want stopped", state)
	}
	if err := remove("volume"); err != nil {
		t.Error(err)
	}
}

// Two policies for the same tags would take every snapshot twice.
func TestPoliciesForTheSameTags(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("application")
	e := exampleNamed(t, "snapshots")
	if _, err := w.declare(e.token, "again", w.inputs(e)); err == nil || !strings.Contains(err.Error(), "has the same target tags") {
		t.Errorf("error = %v, want one about the tags", err)
	}
}
