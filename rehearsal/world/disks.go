package world

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"cicd/internal/shellword"
	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/workspace"
)

//go:embed disks.sh
var disksScript string

// diskCommands are what disks.sh stands for.
var diskCommands = []string{"blkid", "df", "findmnt", "lsblk", "mkfs.ext4", "mount", "resize2fs", "systemctl"}

// onXen matches the instance types whose disks are not NVMe devices (EC2 Instance Types Guide, "Amazon EC2 instance
// types": those that are not built on the Nitro System).
var onXen = regexp.MustCompile(`^(c[134]|d2|f1|g3s?|h1|i[23]|m[1-4]|p[23]|r[34]|t[12]|x1e?)\.`)

// disks are a host's EBS volumes, beside the disk that it boots from.
type disks struct {
	devices string // the folder with a link for each that is attached, see disks.sh
	mounts  string // the file with those that are mounted
	fstab   string // the host's /etc/fstab
	data    string // the folder where hooks mount the volume for data
	volumes string // the folder with the volumes of all hosts
	sizes   string // the folder with their sizes
}

// newDisks makes the files of a host's disks.
func newDisks(work *workspace.Workspace, instanceID string) (d disks, err error) {
	if d.devices, err = work.MakeDir("hosts", instanceID, "dev"); err != nil {
		return d, err
	}
	if d.volumes, err = work.MakeDir("volumes"); err != nil {
		return d, err
	}
	if d.sizes, err = work.MakeDir("sizes"); err != nil {
		return d, err
	}
	d.mounts, d.fstab = work.Path("hosts", instanceID, "mounts"), work.Path("hosts", instanceID, "fstab")
	d.data = work.Path("hosts", instanceID, "data")
	return d, errors.Join(os.WriteFile(d.mounts, nil, 0o644), os.WriteFile(d.fstab, []byte("LABEL=/ / xfs defaults,noatime 1 1\n"), 0o644))
}

// provide makes the commands in a folder for the host's PATH.
func (d disks) provide(folder string) error {
	df, err := exec.LookPath("df")
	if err != nil {
		return err
	}
	text := fmt.Sprintf("#!/bin/bash\nREHEARSAL_DEVICES=%s\nREHEARSAL_MOUNTS=%s\nREHEARSAL_SIZES=%s\nREHEARSAL_DF=%s\n%s",
		shellword.Quote(d.devices), shellword.Quote(d.mounts), shellword.Quote(d.sizes), shellword.Quote(df), disksScript)
	for _, name := range diskCommands {
		err = errors.Join(err, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o755))
	}
	return err
}

// plug makes the host's disks those that the stack attaches to the instance now.
func (d disks) plug(acct *account.Account, instanceID string) error {
	attached := map[string]account.Resource{} // by the name of the disk
	for _, a := range acct.ByType(account.VolumeAttachment) {
		volume, ok := acct.Find(account.Volume, "id", a.String("volumeId"))
		if a.String("instanceId") != instanceID || !ok {
			continue
		}
		instance, _ := acct.Find(account.Instance, "id", instanceID)
		name := fmt.Sprintf("nvme%dn1", len(attached)+1)
		if onXen.MatchString(instance.String("instanceType")) {
			name = strings.Replace(filepath.Base(a.String("deviceName")), "sd", "xvd", 1)
		}
		attached[name] = volume
	}
	present, err := os.ReadDir(d.devices)
	if err != nil {
		return err
	}
	for _, entry := range present {
		if err := os.Remove(filepath.Join(d.devices, entry.Name())); err != nil {
			return err
		}
	}
	for name, volume := range attached {
		err = errors.Join(err, d.connect(name, volume))
	}
	return err
}

// connect makes a disk of a volume, which is blank when it is used first.
func (d disks) connect(name string, volume account.Resource) error {
	file := filepath.Join(d.volumes, volume.ID)
	blank, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	size, _ := volume.Properties["size"].(float64)
	return errors.Join(blank.Close(), os.WriteFile(filepath.Join(d.sizes, volume.ID), fmt.Appendln(nil, size), 0o644),
		os.Symlink(file, filepath.Join(d.devices, name)))
}

// reboot mounts what fstab says, as the system does when it boots: by UUID. It returns an error if the system would not
// come up, because it waits for a disk that is not there (systemd.mount(5), "nofail").
func (d disks) reboot() error {
	text, err := os.ReadFile(d.fstab)
	if err != nil {
		return err
	}
	var mounts strings.Builder
	for line := range strings.Lines(string(text)) {
		field := strings.Fields(line)
		if len(field) < 4 || field[1] == "/" {
			continue
		}
		options := strings.Split(field[3], ",")
		disk, volume, err := d.withUUID(strings.TrimPrefix(field[0], "UUID="))
		switch {
		case err != nil:
			return err
		case disk == "" && !slices.Contains(options, "nofail"):
			return fmt.Errorf("the host does not boot: fstab wants %s at %s, without nofail", field[0], field[1])
		case disk != "" && slices.Contains(options, "x-systemd.before=docker.service"): // else Docker may be earlier
			fmt.Fprintf(&mounts, "%s %s %s\n", field[1], disk, volume)
		}
	}
	return os.WriteFile(d.mounts, []byte(mounts.String()), 0o644)
}

// withUUID returns the disk with a file system, and its volume's id; "" if there is none.
func (d disks) withUUID(uuid string) (disk, volume string, err error) {
	entries, err := os.ReadDir(d.devices)
	for _, entry := range entries {
		disk := filepath.Join(d.devices, entry.Name())
		content, err := os.ReadFile(disk)
		if err != nil {
			return "", "", err
		}
		if field := strings.Fields(string(content)); len(field) == 3 && field[2] == uuid {
			target, err := os.Readlink(disk)
			return disk, filepath.Base(target), err
		}
	}
	return "", "", err
}

// mounted reports whether the volume for data is mounted.
func (d disks) mounted() (bool, error) {
	text, err := os.ReadFile(d.mounts)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return strings.Contains("\n"+string(text), "\n"+d.data+" "), err
}
