package deployscripts_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const volumeID = "vol-0123456789abcdef0"

// disk is a real block device for the hooks: a loop device, which lsblk shows as the stack's volume.
type disk struct {
	t      *testing.T
	image  string // the file behind it
	device string
	folder string // where hooks mount it
	fstab  string
	bin    string // for PATH
}

// newDisk makes a blank disk of 64 MiB. It needs root and a free loop device.
func newDisk(t *testing.T) *disk {
	t.Helper()
	skip := t.Skipf
	if os.Getenv("CI") == "true" && os.Getuid() == 0 {
		skip = t.Fatalf
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil || os.Getuid() != 0 {
		t.Skip("needs root and loop devices")
	}
	dir := t.TempDir()
	d := &disk{t: t, image: filepath.Join(dir, "image"), folder: filepath.Join(dir, "data"), fstab: filepath.Join(dir, "fstab"), bin: filepath.Join(dir, "bin")}
	for _, tool := range []string{"losetup", "mkfs.ext4", "blkid", "resize2fs", "findmnt"} {
		if _, err := exec.LookPath(tool); err != nil {
			skip("needs %s: %v", tool, err)
		}
	}
	if err := os.WriteFile(d.image, make([]byte, 64<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("losetup", "--find", "--show", d.image).CombinedOutput()
	if err != nil {
		skip("no loop device: %v: %s", err, out)
	}
	d.device = strings.TrimSpace(string(out))
	t.Cleanup(func() {
		_ = exec.Command("umount", d.folder).Run()
		if out, err := exec.Command("losetup", "--detach", d.device).CombinedOutput(); err != nil {
			t.Errorf("losetup: %v: %s", err, out)
		}
	})
	write(t, d.fstab, "LABEL=/ / xfs defaults 1 1\n/dev/sdz "+d.folder+" ext4 defaults 0 0\n# a comment")
	write(t, filepath.Join(d.bin, "systemctl"), "#!/bin/bash\necho \"$*\" >>"+dir+"/systemctl\n")
	d.attach(volumeID)
	return d
}

// attach makes the disk that of a volume, as lsblk shows it on Nitro.
func (d *disk) attach(id string) {
	write(d.t, filepath.Join(d.bin, "lsblk"), fmt.Sprintf("#!/bin/bash\nprintf '%%s\\n' '/dev/nvme0n1 vol0aaaaaaaaaaaaaaaa' '%s %s'\n", d.device, strings.ReplaceAll(id, "-", "")))
}

// environment is that of hooks.
func (d *disk) environment() []string {
	return []string{"DATA_FOLDER=" + d.folder, "FSTAB=" + d.fstab, "DISK_SECONDS=1", "PATH=" + d.bin + ":" + os.Getenv("PATH")}
}

// mount runs what prepare.sh does with the disk.
func (d *disk) mount(stack string) (output string, err error) {
	d.t.Helper()
	cmd := exec.Command("bash", "-c", `set -euo pipefail
		for lib in release ending containers disk mount; do source "hooks/lib/$lib.sh"; done
		mount_data
		warn_if_full`)
	cmd.Env = append(append(os.Environ(), "VOLUME_ID="+volumeID, "SECRETS_PATH=/cicd/"+stack, "TMPDIR="+d.t.TempDir()), d.environment()...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (d *disk) mustMount() string {
	d.t.Helper()
	output, err := d.mount("dev")
	if err != nil {
		d.t.Fatalf("%v\n%s", err, output)
	}
	return output
}

func (d *disk) run(command string, arguments ...string) {
	d.t.Helper()
	if out, err := exec.Command(command, arguments...).CombinedOutput(); err != nil {
		d.t.Fatalf("%s %q: %v: %s", command, arguments, err, out)
	}
}

// TestDisk uses the real tools on a real device: a blank one is formatted, and then mounted as it is.
func TestDisk(t *testing.T) {
	d := newDisk(t)
	if output := d.mustMount(); !strings.Contains(output, "the volume "+volumeID+" is new") {
		t.Errorf("it says %q, want that the volume is new", output)
	}
	write(t, filepath.Join(d.folder, "kept"), "data")
	kept := func(when string) {
		t.Helper()
		if got, err := os.ReadFile(filepath.Join(d.folder, "kept")); err != nil || string(got) != "data" {
			t.Errorf("%s: %q, %v", when, got, err)
		}
	}
	fstab, err := os.ReadFile(d.fstab)
	if want := " " + d.folder + " ext4 nodev,nosuid,nofail,x-systemd.before=docker.service,x-systemd.device-timeout=30s 0 2\n"; err != nil ||
		!strings.HasPrefix(string(fstab), "LABEL=/ / xfs defaults 1 1\n# a comment\nUUID=") || !strings.HasSuffix(string(fstab), want) || strings.Count(string(fstab), "\n") != 3 {
		t.Errorf("fstab is\n%s(%v)\nwant one line for the volume, at the end of the others", fstab, err)
	}
	if output := d.mustMount(); output != "" {
		t.Errorf("the second release says %q, want nothing", output)
	}
	kept("after the second release")
	d.run("umount", d.folder)
	d.mustMount()
	kept("after a reboot")

	if err := os.Truncate(d.image, 128<<20); err != nil {
		t.Fatal(err)
	}
	d.run("losetup", "--set-capacity", d.device)
	before := size(t, d.folder)
	output, after := d.mustMount(), size(t, d.folder)
	switch {
	case !mayResize(t) && !strings.Contains(output, "warning: the file system of "+volumeID+" keeps its size: resize2fs"):
		t.Errorf("without the permission to resize a file system, it says %q", output)
	case mayResize(t) && after < before+50<<20:
		t.Errorf("the volume has grown by 64 MiB, its file system from %d to %d bytes", before, after)
	}
	kept("after it has grown")

	write(t, filepath.Join(d.folder, "much"), strings.Repeat("x", after/100*85)) // some is reserved
	if output := d.mustMount(); !strings.Contains(output, "MiB free") || !strings.Contains(output, "volumeGiB") {
		t.Errorf("the full disk says %q, want a warning with figures", output)
	}
	if calls, _ := os.ReadFile(filepath.Join(filepath.Dir(d.fstab), "systemctl")); string(calls) != "daemon-reload\n" {
		t.Errorf("systemctl %q, want one daemon-reload", calls)
	}
}

// mayResize reports whether root may resize a mounted file system here: with CAP_SYS_RESOURCE (Linux, fs/ext4/ioctl.c),
// which a container may lack.
func mayResize(t *testing.T) bool {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nCapEff:\t")
	var capabilities uint64
	if _, err := fmt.Sscanf(rest, "%x", &capabilities); err != nil {
		t.Fatal(err)
	}
	return capabilities&(1<<24) != 0
}

// size returns a file system's size in bytes.
func size(t *testing.T, folder string) int {
	t.Helper()
	out, err := exec.Command("df", "--block-size=1", "--output=size", folder).Output()
	if err != nil {
		t.Fatal(err)
	}
	var bytes int
	if _, err := fmt.Sscan(lastLine(string(out)), &bytes); err != nil {
		t.Fatal(err)
	}
	return bytes
}

// TestDiskThatIsNotOurs: nothing that holds anything is formatted, or written to in any way.
func TestDiskThatIsNotOurs(t *testing.T) {
	d := newDisk(t)
	raw := func(at int64, text string) func() {
		return func() {
			file, err := os.OpenFile(d.device, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if _, err := file.WriteAt([]byte(text), at); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name string
		make func()
		want string
	}{
		{"another stack's", func() { d.run("mkfs.ext4", "-q", "-L", "cicd-00000000", d.device) }, "holds 'ext4 cicd-00000000' (type and label), want this stack's 'ext4 cicd-"},
		{"without a label", func() { d.run("mkfs.ext4", "-q", d.device) }, "holds 'ext4' (type and label)"},
		{"another type", raw(0, "XFSB"+strings.Repeat("\x00", 4)), "not blank"},
		{"swap", func() { d.run("mkswap", d.device) }, "holds 'swap'"},
		{"a partition table", raw(446, "\x00\x00\x02\x00\x83\x01\x01\x00\x00\x08\x00\x00\x00\x10\x00\x00"+strings.Repeat("\x00", 48)+"\x55\xaa"), "holds 'a partition table, dos'"},
		{"unknown bytes", raw(700000, "what is this"), "is not blank, and what is on it is unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(d.image, make([]byte, 64<<20), 0o600); err != nil {
				t.Fatal(err)
			}
			d.run("losetup", "--set-capacity", d.device)
			d.run("blockdev", "--flushbufs", d.device)
			tt.make()
			d.run("sync", d.device)
			before := content(t, d.device)
			output, err := d.mount("dev")
			if err == nil || !strings.Contains(lastLine(output), tt.want) || !strings.Contains(output, "Nothing has been changed") {
				t.Errorf("%v: %s\nwant it refused, with %q", err, output, tt.want)
			}
			if !bytes.Equal(before, content(t, d.device)) {
				t.Error("the disk has been written to")
			}
			if fstab, _ := os.ReadFile(d.fstab); strings.Contains(string(fstab), "UUID=") {
				t.Errorf("fstab is\n%s", fstab)
			}
		})
	}
}

func content(t *testing.T, device string) []byte {
	t.Helper()
	raw, err := os.ReadFile(device)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestDiskThatIsAway: a volume that is not attached, or that was detached while it was mounted.
func TestDiskThatIsAway(t *testing.T) {
	d := newDisk(t)
	d.attach("vol-0fedcba9876543210")
	if output, err := d.mount("dev"); err == nil || !strings.Contains(lastLine(output), volumeID+" is not attached to this host: pulumi up attaches it") {
		t.Errorf("%v: %s", err, output)
	}
	d.attach(volumeID)
	d.mustMount()
	device := d.device
	d.device = "/dev/nvme9n1"
	d.attach(volumeID)
	d.device = device
	if output, err := d.mount("dev"); err == nil || !strings.Contains(lastLine(output), d.folder+" has "+device+" mounted") || !strings.Contains(output, "Reboot") {
		t.Errorf("%v: %s", err, output)
	}
}

// TestDiskOnXen: there a disk has no serial number, but the name that it was attached by.
func TestDiskOnXen(t *testing.T) {
	for lines, want := range map[string]string{
		`/dev/xvda \n/dev/xvdf `:                                   "/dev/xvdf",
		`/dev/xvda \n/dev/xvdg `:                                   "",
		`/dev/nvme0n1 vol0aaa\n/dev/nvme1n1 vol0123456789abcdef0`:  "/dev/nvme1n1",
		`/dev/nvme0n1 vol0aaa\n/dev/nvme1n1 vol0123456789abcdef00`: "",
	} {
		bin := t.TempDir()
		write(t, filepath.Join(bin, "lsblk"), "#!/bin/bash\nprintf '"+lines+"\\n'\n")
		cmd := exec.Command("bash", "-c", "set -euo pipefail; source hooks/lib/disk.sh; find_disk")
		cmd.Env = []string{"VOLUME_ID=" + volumeID, "PATH=" + bin + ":" + os.Getenv("PATH")}
		if got, err := cmd.CombinedOutput(); err != nil || string(got) != want {
			t.Errorf("of %q it finds %q (%v), want %q", lines, got, err, want)
		}
	}
}
