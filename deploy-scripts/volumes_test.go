package deployscripts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// withVolume gives the stack a volume at /data.
const withVolume = "VOLUME_ID=" + volumeID + "\nVOLUME files=/data\n"

// serving returns the name of the host's serving container.
func (h *host) serving() string { return h.app + "-8080" }

// exchange copies a file into a running container, or out of it.
func (h *host) exchange(t *testing.T, from, to string) error {
	t.Helper()
	out, err := exec.Command("docker", "cp", from, to).CombinedOutput()
	if err != nil {
		t.Logf("docker cp: %s", out)
	}
	return err
}

// TestVolume releases twice with a real disk: the second container has what the first one wrote, and without the disk
// none starts.
func TestVolume(t *testing.T) {
	d := newDisk(t)
	h := newHost(t, d.environment()...)
	h.env = append(h.env, "PATH="+d.bin+":"+h.home+":"+os.Getenv("PATH"))
	h.settings += withVolume + "PROCESS worker=work\nRELEASE_COMMAND=print\n"
	h.mustDeploy(h.mustBuild(1, app(t, "1", "good")))
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "data")
	if err := h.exchange(t, file, h.serving()+":/data/file"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(d.folder, "files", "file")); err != nil || string(got) != "data" {
		t.Errorf("the disk has %q, %v", got, err)
	}
	h.mustDeploy(h.mustBuild(2, app(t, "2", "good")))
	h.wantAnswer(t, "2")
	back := filepath.Join(t.TempDir(), "back")
	if err := h.exchange(t, h.serving()+":/data/file", back); err != nil {
		t.Error("the second release lacks the file of the first")
	}
	mounts := docker(t, "container inspect --format {{range.Mounts}}{{.Name}}:{{.Destination}}{{end}} "+strings.Join(h.containersLike(t, "-worker-"), " "))
	if want := h.app + "-files:/data"; mounts != want {
		t.Errorf("the worker has the volumes %q, want %q", mounts, want)
	}

	docker(t, "container stop --time 1 "+strings.Join(slices.Concat(h.containersLike(t, "-worker-"), []string{h.serving()}), " "))
	d.run("umount", d.folder)
	if out, err := exec.Command("docker", "container", "start", h.serving()).CombinedOutput(); err == nil {
		t.Errorf("the container starts without its disk: %s", out)
	}
}

// containersLike returns the host's containers with a text in their names.
func (h *host) containersLike(t *testing.T, text string) []string {
	t.Helper()
	return slices.DeleteFunc(strings.Fields(docker(t, "container ls --all --format {{.Names}} --filter name=^/"+h.app+"-")), func(name string) bool {
		return !strings.Contains(name, text)
	})
}

// TestDiskMissing: a release that cannot have its data touches nothing.
func TestDiskMissing(t *testing.T) {
	t.Parallel()
	h := newHost(t, "DISK_SECONDS=1", "DATA_FOLDER="+filepath.Join(t.TempDir(), "data"))
	h.mustDeploy(h.mustBuild(1, app(t, "1", "good")))
	before := h.names()
	h.settings += withVolume
	output, err := h.deploy(h.mustBuild(2, app(t, "2", "good")))
	if err == nil || !strings.Contains(lastLine(output), "not attached to this host") {
		t.Errorf("%v: %s", err, output)
	}
	h.wantAnswer(t, "1")
	if after := h.names(); after != before {
		t.Errorf("containers %q, want %q as before", after, before)
	}
}

// TestVolumeOfSomebodyElse: a Docker volume by the same name is not taken for the stack's.
func TestVolumeOfSomebodyElse(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	folder := t.TempDir()
	ensure := func() (string, error) {
		cmd := exec.Command("bash", "-c", `set -euo pipefail
			for lib in release ending containers mount volumes; do source "hooks/lib/$lib.sh"; done
			ensure_volume "$(volume_name files)" "`+folder+`/files"`)
		cmd.Env = append(slices.Clone(h.env), "VOLUMES=")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	docker(t, "volume create "+h.app+"-files")
	if output, err := ensure(); err == nil || !strings.Contains(lastLine(output), "docker volume rm "+h.app+"-files") {
		t.Errorf("%v: %s", err, output)
	}
	docker(t, "volume rm "+h.app+"-files")
	for range 2 {
		if output, err := ensure(); err != nil || output != "" {
			t.Errorf("%v: %s", err, output)
		}
	}
	if got := docker(t, "volume inspect --format {{.Options.device}},{{.Options.o}} "+h.app+"-files"); got != folder+"/files,bind" {
		t.Errorf("the volume is %s", got)
	}
}

// TestAnonymousVolumes: what containers wrote below a VOLUME of their image is kept for two releases, and each release
// and build warns.
func TestAnonymousVolumes(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	declaring := func(version string) func(string) {
		fill := app(t, version, "good")
		return func(webapp string) {
			fill(webapp)
			dockerfile, err := os.ReadFile(filepath.Join(webapp, "Dockerfile"))
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(webapp, "Dockerfile"), string(dockerfile)+"VOLUME [\"/data\", \"/cache/\"]\n")
		}
	}
	var all []string // two for each release
	for n, version := range []string{"1", "2", "3", "4"} {
		bundle := h.mustBuild(n+1, declaring(version))
		if !strings.Contains(h.notes, "declares VOLUME /data,") || !strings.Contains(h.notes, "declares VOLUME /cache,") {
			t.Errorf("the build notes %q, want both paths", h.notes)
		}
		output, err := h.deploy(bundle)
		if err != nil || strings.Count(output, "warning: the image declares VOLUME") != 2 {
			t.Fatalf("%v, want two warnings in:\n%s", err, output)
		}
		all = append(all, strings.Fields(strings.ReplaceAll(docker(t, "container inspect --format {{range.Mounts}}{{.Name}}/{{end}} "+h.serving()), "/", " "))...)
	}
	t.Cleanup(func() { _ = exec.Command("docker", append([]string{"volume", "rm", "--force"}, all...)...).Run() })
	for i, name := range all {
		err := exec.Command("docker", "volume", "inspect", name).Run()
		if kept := err == nil; kept != (i >= 2) {
			t.Errorf("release %d: its volume is there: %v", i/2+1, kept)
		}
	}
	h.settings += "VOLUME_ID=" + volumeID + "\nVOLUME files=/data\n"
	h.mustBuild(5, declaring("5"))
	if strings.Contains(h.notes, "VOLUME /data,") || !strings.Contains(h.notes, "VOLUME /cache,") {
		t.Errorf("the build notes %q, want /cache alone", h.notes)
	}
}
