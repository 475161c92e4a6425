package infra

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Application is what a stack says of the application that it runs.
type Application struct {
	Image Image
	// Environment has the plain variables of every container. Secrets and BuildSecrets say where a variable's value is
	// from, see secretSource; builds get theirs as secrets of `docker build`.
	Environment, Secrets, BuildSecrets map[string]string
	// ReleaseCommand are the words of the command that each release runs first; none for no command.
	ReleaseCommand []string
	// Processes are the words of each worker's command, by its name.
	Processes map[string][]string
	// Volumes are the paths of the data volume's folders in the containers, by name.
	Volumes map[string]string
	// Domain is the name by which visitors reach it over HTTPS; "" for its host's address, over HTTP.
	Domain string
	// HealthSeconds is how long the application may take to become healthy, StopSeconds how long to end.
	HealthSeconds, StopSeconds int
}

// application returns what checked settings say of the application.
func (s *settings) application() Application {
	a := Application{
		Image: Image{AppPath: s.AppPath, Dockerfile: s.Dockerfile, Target: s.BuildTarget, Args: s.BuildArgs,
			DockerOnly: s.DeployScripts == scriptsInStack},
		Environment:   s.Environment,
		Secrets:       s.Secrets,
		BuildSecrets:  s.BuildSecrets,
		Processes:     map[string][]string{},
		Volumes:       s.Volumes,
		Domain:        s.Domain,
		HealthSeconds: s.HealthSeconds,
		StopSeconds:   s.StopSeconds,
	}
	a.ReleaseCommand, _ = splitCommand(s.ReleaseCommand)
	for name, command := range s.Processes {
		a.Processes[name], _ = splitCommand(command)
	}
	return a
}

// escapeSetting keeps a value on its line; bash's `printf -v value %b` is the way back.
var escapeSetting = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)

// settingsFile returns what builds and hosts must know of the application: one setting a line, in this order, names
// sorted. deploy-scripts/ reads it. The build adds it to the bundle, so that a release, and a rollback to it, has its
// own. volumeID is that of the data volume, "" for none.
func (a Application) settingsFile(scope Scope, volumeID string) string {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%s=%s\n", name, escapeSetting.Replace(value)) }
	named := func(kind string, values map[string]string, shown func(name, value string) string) {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			line(kind+" "+name, shown(name, values[name]))
		}
	}
	asIs := func(_, value string) string { return value }

	line("STACK", scope.Stack)
	line("LOG_GROUP", scope.appLogGroupName())
	line("SECRETS_PATH", scope.SecretsPath())
	line("HEALTH_SECONDS", fmt.Sprint(a.HealthSeconds))
	line("STOP_SECONDS", fmt.Sprint(a.StopSeconds))
	if a.Domain != "" {
		line("DOMAIN", a.Domain)
	}
	named("BUILD_ARG", a.Image.Args, asIs)
	named("BUILD_SECRET", a.BuildSecrets, func(_, _ string) string { return "" })
	named("ENVIRONMENT", a.Environment, asIs)
	named("SECRET", a.Secrets, func(name, source string) string {
		if source == "" {
			return scope.SecretsPath() + "/" + name
		}
		return source
	})
	for _, word := range a.ReleaseCommand {
		line("RELEASE_COMMAND", word)
	}
	for _, name := range slices.Sorted(maps.Keys(a.Processes)) {
		for _, word := range a.Processes[name] {
			line("PROCESS "+name, word)
		}
	}
	if volumeID != "" {
		line("VOLUME_ID", volumeID)
		named("VOLUME", a.Volumes, asIs)
	}
	return b.String()
}
