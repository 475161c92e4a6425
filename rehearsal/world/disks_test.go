package world

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/rehearsal/aws/account"
)

const testVolume = "vol-0123456789abcdef0"

// diskOf returns the disks of a host whose instance has a type, and an account that attaches a volume to it.
func diskOf(t *testing.T, instanceType string) (disks, *account.Account, string) {
	t.Helper()
	dir := t.TempDir()
	d := disks{devices: filepath.Join(dir, "dev"), mounts: filepath.Join(dir, "mounts"), fstab: filepath.Join(dir, "fstab"), data: filepath.Join(dir, "data"),
		volumes: filepath.Join(dir, "volumes"), sizes: filepath.Join(dir, "sizes")}
	for _, file := range []string{"dev/.keep", "volumes/.keep", "sizes/.keep", "bin/.keep", "mounts"} {
		testproject.Apply(t, dir, edit.Write(file, ""))
	}
	testproject.Apply(t, dir, edit.Write("fstab", "LABEL=/ / xfs defaults 1 1\n"))
	bin := filepath.Join(dir, "bin")
	if err := d.provide(bin); err != nil {
		t.Fatal(err)
	}
	acct := account.New("123456789012")
	acct.Put(account.Resource{Type: account.Instance, URN: "host", ID: "i-1", Properties: map[string]any{"instanceType": instanceType}})
	acct.Put(account.Resource{Type: account.Volume, URN: "volume", ID: testVolume, Properties: map[string]any{"size": 10.0}})
	acct.Put(account.Resource{Type: account.VolumeAttachment, URN: "attachment", ID: "vai-1", Properties: map[string]any{"volumeId": testVolume, "instanceId": "i-1", "deviceName": "/dev/sdf"}})
	return d, acct, bin
}

// TestDisksOfHost runs what prepare.sh does with the data volume on a rehearsed host. With real disks,
// deploy-scripts/disk_test.go does the same.
func TestDisksOfHost(t *testing.T) {
	for _, instanceType := range []string{"t3.micro", "t2.micro"} {
		d, acct, bin := diskOf(t, instanceType)
		mount := func(stack string) (string, error) {
			t.Helper()
			if err := d.plug(acct, "i-1"); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("bash", "-c", `set -euo pipefail
				for lib in release ending containers disk mount; do source "deploy-scripts/hooks/lib/$lib.sh"; done
				mount_data; warn_if_full; df --block-size=1M --output=avail,size "$DATA_FOLDER" | tail -n 1 >&2`)
			cmd.Dir = testproject.Root(t)
			cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir(), "DATA_FOLDER=" + d.data, "FSTAB=" + d.fstab, "DISK_SECONDS=1",
				"VOLUME_ID=" + testVolume, "SECRETS_PATH=/cicd/" + stack}
			out, err := cmd.CombinedOutput()
			return string(out), err
		}
		want := func(when, stack, text string, fails bool) {
			t.Helper()
			if out, err := mount(stack); (err != nil) != fails || !strings.Contains(out, text) {
				t.Errorf("%s, %s: %v, want an error %v and %q in\n%s", instanceType, when, err, fails, text, out)
			}
		}
		want("a new volume", "dev", "is new", false)
		want("again", "dev", "10240 10240\n", false)
		want("another stack", "prod", "holds 'ext4 cicd-", true)
		if err := os.WriteFile(d.mounts, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := d.reboot(); err != nil {
			t.Error(err)
		}
		if mounted, err := d.mounted(); err != nil || !mounted {
			t.Errorf("%s: after a reboot it is mounted: %v, %v", instanceType, mounted, err)
		}
		acct.Delete("attachment", "vai-1")
		want("not attached", "dev", "is not attached to this host", true)
		if err := d.reboot(); err != nil {
			t.Errorf("the host does not boot without the volume: %v", err)
		}
		if mounted, err := d.mounted(); err != nil || mounted {
			t.Errorf("%s: without the volume it is mounted: %v, %v", instanceType, mounted, err)
		}
	}
}

// TestFstab: a host waits for what fstab wants at any rate, and Docker only for what comes before it.
func TestFstab(t *testing.T) {
	for options, want := range map[string]struct{ boots, mounted bool }{
		"nofail,x-systemd.before=docker.service": {true, true},
		"nofail":                                 {true, false},
		"defaults":                               {false, false},
	} {
		d, acct, _ := diskOf(t, "t3.micro")
		if err := d.plug(acct, "i-1"); err != nil {
			t.Fatal(err)
		}
		write := func(file, text string) {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write(d.fstab, "UUID=1 "+d.data+" ext4 "+options+" 0 2\n")
		write(filepath.Join(d.volumes, testVolume), "ext4 label 1\n")
		if err := d.reboot(); err != nil {
			t.Errorf("%s, with the disk: %v", options, err)
		}
		if mounted, err := d.mounted(); err != nil || mounted != want.mounted {
			t.Errorf("%s: mounted when Docker starts: %v, %v", options, mounted, err)
		}
		write(filepath.Join(d.volumes, testVolume), "")
		if err := d.reboot(); (err == nil) != want.boots {
			t.Errorf("%s, without the disk: %v", options, err)
		}
	}
}
