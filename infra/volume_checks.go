package infra

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

const (
	// maxVolumes is how many folders of the application are meant to outlive releases.
	maxVolumes = 10
	// maxVolumeGiB is the largest gp3 volume that every region and instance type has (EBS User Guide, "Amazon EBS
	// volume types").
	maxVolumeGiB = 16384
)

var (
	// mountPattern leaves out what `docker run --mount` splits at or takes for a quote: its value is a line of CSV
	// (docker/cli, opts/mount.go).
	mountPattern = regexp.MustCompile(`^(/[A-Za-z0-9._@+-]+)+$`)
	// kernelFolders are those in which a container runtime mounts nothing else (opencontainers/runc,
	// libcontainer/rootfs_linux.go, checkProcMount; "/sys" and "/dev" are the kernel's, too).
	kernelFolders = []string{"/proc", "/sys", "/dev"}
)

// checkVolume checks a volume's name and the path at which containers see it.
func checkVolume(name, at string) string {
	switch {
	case !processPattern.MatchString(name):
		return "want a name of at most 30 lower-case letters, digits and hyphens, a letter first, such as uploads"
	case at == "/":
		return "is the container's root, which is the image's: want a folder below it, such as /app/uploads"
	case !mountPattern.MatchString(at) || path.Clean(at) != at:
		return fmt.Sprintf("%q: want an absolute path in the containers, of letters, digits and . _ @ + - alone and without .., such as /app/uploads", at)
	case slices.ContainsFunc(kernelFolders, func(folder string) bool { return inside(folder, at) }):
		return fmt.Sprintf("%s is the kernel's: want another folder, such as /app/uploads", at)
	}
	return ""
}

// inside reports whether a path is a folder or is in it.
func inside(folder, at string) bool { return at == folder || strings.HasPrefix(at, folder+"/") }

// checkVolumes returns what is wrong with the volumes in view of one another.
func (s *settings) checkVolumes() []string {
	var violations []string
	names := slices.Sorted(maps.Keys(s.Volumes))
	for i, name := range names {
		at := s.Volumes[name]
		for j, other := range names {
			switch outer := s.Volumes[other]; {
			case outer == at && j < i:
				violations = append(violations, fmt.Sprintf("volumes.%s: has the path of volumes.%s, %s: want one of them", name, other, at))
			case outer != at && outer != "/" && outer != "" && inside(outer, at):
				violations = append(violations, fmt.Sprintf("volumes.%s: %s is inside %s, the path of volumes.%s: want paths beside each other", name, at, outer, other))
			}
		}
	}
	if n := len(names); n > maxVolumes {
		violations = append(violations, fmt.Sprintf("volumes: has %d: want at most %d", n, maxVolumes))
	}
	return violations
}

// dataGiB is the size of the data volume, 0 for none.
func (s *settings) dataGiB() int {
	if len(s.Volumes) == 0 {
		return 0
	}
	return s.VolumeGiB
}
