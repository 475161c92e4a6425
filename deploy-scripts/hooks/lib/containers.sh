# shellcheck shell=bash
#
# This host's Docker objects, whose names and labels are the only state. Sourced, not run.
#
# The edge looks up the name of the serving container, $APP_NAME-<its port>. A candidate is called
# $APP_NAME-<commit>-<time>, and the previous container $APP_NAME-retired while it finishes its requests.

readonly RETIRED="$APP_NAME-retired"
readonly EDGE="$APP_NAME-edge" # a container, and the network it shares with the application

# Labels of the application's containers.
readonly LABEL=com.cicd.app               # $APP_NAME
readonly LABEL_PORT=com.cicd.port         # where it listens
readonly LABEL_COMMIT=com.cicd.commit     # its commit: several may have the same image
readonly LABEL_IMAGE=com.cicd.image       # the image it runs
readonly LABEL_PREVIOUS=com.cicd.previous # the previously serving image, kept for a rollback

readonly STOP_SECONDS=30   # how long a container may take to finish its requests after SIGTERM
readonly DOCKER_SECONDS=30 # how long a Docker command or a restart of Docker may take

serving_name() { printf '%s' "$APP_NAME-$CONTAINER_PORT"; }

# uncut COMMAND... runs a command that SIGTERM does not interrupt: the agent signals the hook's process group, and timeout(1)
# creates another one. Otherwise Docker might still be making a change when the script checks what has become of it. The
# script itself gets the signal once the command has ended, unless it runs this in a subshell.
uncut() { timeout "$DOCKER_SECONDS" "$@"; }

# await_docker waits for a daemon that is being restarted. It writes its architecture into the work folder.
await_docker() {
  local deadline=$((SECONDS + DOCKER_SECONDS))
  until timeout 5 docker version --format '{{.Server.Arch}}' >"$WORK/architecture" 2>"$WORK/reason"; do
    ((SECONDS < deadline)) || die "Docker does not answer: $(tr '\n' ' ' <"$WORK/reason"): systemctl status docker"
    sleep 0.2
  done
}

# exists NAME reports whether a container exists. An unreachable daemon is an error, not a "no".
exists() {
  local found
  found="$(docker container ls --all --quiet --filter "name=^/$1\$")" || die "Docker does not answer: systemctl status docker"
  [[ -n "$found" ]]
}

ensure_network() {
  docker network inspect "$EDGE" >/dev/null 2>&1 || docker network create "$EDGE" >/dev/null
}

label() { docker container inspect --format "{{index .Config.Labels \"$2\"}}" "$1"; }

# release_of NAME prints what release a container runs.
release_of() { docker container inspect --format "{{index .Config.Labels \"$LABEL_IMAGE\"}} of commit {{index .Config.Labels \"$LABEL_COMMIT\"}}" "$1"; }

# app_containers prints one line for each of the application's containers, in any state: its name, its image, and the image
# that served before it, if any.
app_containers() {
  docker container ls --all --filter "label=$LABEL=$APP_NAME" --format "{{.Names}} {{.Label \"$LABEL_IMAGE\"}} {{.Label \"$LABEL_PREVIOUS\"}}"
}

# retire_all_but PATTERN stops and removes the application's containers whose names do not match. An error does not fail the
# release: the next one removes the rest.
retire_all_but() {
  local name others=() begun=$SECONDS
  while read -r name _; do
    [[ "$name" =~ $1 ]] || others+=("$name")
  done < <(app_containers)
  ((${#others[@]} > 0)) || return 0
  docker container stop -t "$STOP_SECONDS" "${others[@]}" >/dev/null || log "not stopped: ${others[*]}"
  ((SECONDS - begun < STOP_SECONDS)) || tell_killed "${others[@]}"
  docker container rm --force --volumes "${others[@]}" >/dev/null || log "not removed: ${others[*]}"
}

# put_back undoes half a switch: if no container has the name that the edge looks up, the retired one gets it back.
put_back() {
  local port serving
  exists "$RETIRED" || return 0
  port="$(label "$RETIRED" "$LABEL_PORT")" # none if no release made the container
  serving="$APP_NAME-${port:-$CONTAINER_PORT}"
  exists "$serving" || uncut docker container rename "$RETIRED" "$serving"
}

# repair repairs what a killed run left: half a switch, candidates, a container that was being retired.
repair() {
  put_back
  retire_all_but "^$APP_NAME-[0-9]{1,5}\$"
}

# prune_images removes a repository's images that neither run here nor ran just before (F38). Docker keeps images that are in
# use. Without --all, newer versions of the CLI do not list images that were pulled by digest; the filter "reference" of
# Docker's first versions with containerd's image store does not find them.
prune_images() {
  local image keep
  keep="$(app_containers)" || return 0 # without Docker, leave it to the next release
  keep=" ${keep//$'\n'/ } "
  while read -r image; do
    [[ "$keep" == *" $image "* ]] || docker image rm "$image" >/dev/null 2>&1 || log "image kept, it is in use: $image"
  done < <(docker image ls --all --digests --format '{{.Repository}}@{{.Digest}}' | grep -F "$1@sha256:" | sort -u)
}
