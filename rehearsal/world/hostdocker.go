package world

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"cicd/internal/shellword"
)

//go:embed docker.sh
var dockerScript string

// dockerCommand is the docker command of a host.
type dockerCommand struct {
	logs   string // where the host's containers send what they print, "address:port"
	region string
	name   string // the rehearsal's
	disks  disks
}

// provide makes the command in a folder for the host's PATH.
func (d dockerCommand) provide(folder string) error {
	real, err := exec.LookPath("docker")
	if err != nil {
		return err
	}
	text := fmt.Sprintf("#!/bin/bash\nREHEARSAL_DOCKER=%s\nREHEARSAL_LOGS=%s\nREHEARSAL_REGION=%s\nREHEARSAL_NAME=%s\nREHEARSAL_MOUNTS=%s\n%s",
		shellword.Quote(real), shellword.Quote(d.logs), shellword.Quote(d.region), shellword.Quote(d.name), shellword.Quote(d.disks.mounts), dockerScript)
	return os.WriteFile(filepath.Join(folder, "docker"), []byte(text), 0o755)
}
