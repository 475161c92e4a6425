# shellcheck shell=bash
#
# Anonymous volumes: those that Docker makes for a container whose image declares a VOLUME, and nothing is mounted
# there. Sourced, not run, after containers.sh.
#
# A container's do not go with it. The release that replaces it names them in a label, and with them those that the
# replaced one named first, so that what was written there outlasts the next release, even if that fails and is rolled
# back.

readonly LABEL_KEPT=com.cicd.kept

# inspect_volumes CONTAINER... prints for each its anonymous volumes, "|" and its label. An anonymous volume's name has
# 64 hexadecimal digits (moby, daemon/volume/service/service.go, Create).
inspect_volumes() {
  local names keeps name anonymous
  while IFS='|' read -r names keeps; do
    anonymous=''
    for name in $names; do
      [[ ! "$name" =~ ^[0-9a-f]{64}$ ]] || anonymous+=" $name"
    done
    echo "${anonymous# }|$keeps"
  done < <(docker container inspect --format "{{range .Mounts}}{{if eq .Type \"volume\"}}{{.Name}} {{end}}{{end}}|{{index .Config.Labels \"$LABEL_KEPT\"}}" "$@" 2>/dev/null)
}

# volumes_of CONTAINER... prints the anonymous volumes that are the containers', or that they keep.
volumes_of() { inspect_volumes "$@" | tr '|/\n' '   '; }

# volumes_to_keep prints the label of a release that replaces what runs now: the volumes of that, a slash, and those
# that it names first. Without any, it prints nothing.
volumes_to_keep() {
  local name names=() volumes keeps now='' before=''
  while read -r _ name; do
    names+=("$name")
  done < <(ours)
  ((${#names[@]} > 0)) || return 0
  while IFS='|' read -r volumes keeps; do
    now+="${volumes:+ $volumes}"
    before+="${keeps:+ ${keeps%%/*}}"
  done < <(inspect_volumes "${names[@]}")
  [[ -z "${now// /}${before// /}" ]] || printf '%s/%s' "${now# }" "${before# }"
}

# discard_volumes VOLUME... removes those that no container keeps. Docker refuses to remove one that is in use.
discard_volumes() {
  local kept volume
  (($# > 0)) || return 0
  kept="$(docker container ls --all --filter "label=$LABEL=$APP_NAME" --format "{{.Label \"$LABEL_KEPT\"}}" | tr '/\n' '  ')" || return 0
  for volume in "$@"; do
    [[ " $kept " == *" $volume "* ]] || docker volume rm "$volume" >/dev/null 2>&1 || true
  done
}
