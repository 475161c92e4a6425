# shellcheck shell=bash
#
# What an image declares to be a volume. Sourced, not run, by the build too.

# unnamed_volumes IMAGE PATH... prints each VOLUME of the image that is none of the paths. One inside a path counts:
# Docker would mount a volume of its own there.
unnamed_volumes() {
  local of="$1" path
  shift
  while read -r path; do
    path="${path%/}"
    [[ "$path" != /* || " $* " == *" $path "* ]] || printf '%s\n' "$path"
  done < <(docker image inspect --format '{{range $path, $_ := .Config.Volumes}}{{println $path}}{{end}}' "$of")
}

# tell_unnamed PATH prints what will become of the data there, and how to keep it.
tell_unnamed() {
  printf '%s' "warning: the image declares VOLUME $1, and volumes names no such path: the next release starts without what this one writes there, and three releases later it is deleted. To keep it: pulumi config set --path 'volumes.NAME' $1"
}
