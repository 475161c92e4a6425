package infra

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

const (
	defaultAppPath    = "webapp"
	defaultDockerfile = "Dockerfile"
)

// Image says where the application is in the repository, and how its image is built.
type Image struct {
	// AppPath is the folder with the application, relative to the repository's root, which is "."; the build's context.
	AppPath string
	// Dockerfile is relative to AppPath.
	Dockerfile string
	// Target is the stage to build; "" means the last.
	Target string
	// Args are the build's arguments by name.
	Args map[string]string
	// DockerOnly means that `docker build` builds it, whatever the application's Makefile offers.
	DockerOnly bool `json:",omitempty"`
}

// variant returns 8 hexadecimal digits that tell images of the same commit and architecture apart by what else shapes
// them, or "" for the defaults. Secrets of the build have no part in it: their values are unknown here.
func (i Image) variant() (string, error) {
	if i.AppPath == defaultAppPath && i.Dockerfile == defaultDockerfile && i.Target == "" && len(i.Args) == 0 && !i.DockerOnly {
		return "", nil
	}
	text, err := json.Marshal(i) // sorts maps
	if err != nil {
		return "", fmt.Errorf("image variant: %w", err)
	}
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:4]), nil
}

// watched returns the patterns of the paths whose changes make a release.
func watched(appPath, deployScripts string) []string {
	switch {
	case appPath == ".":
		return []string{"**"}
	case deployScripts == scriptsInStack:
		return []string{appPath + "/**"}
	}
	return []string{appPath + "/**", "deploy-scripts/**"}
}
