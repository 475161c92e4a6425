# shellcheck shell=bash
#
# This host's Docker objects, whose names and labels are the only state. Sourced, not run.
#
# The edge looks up the name of the serving container, $APP_NAME-<its port>. A candidate is called
# $APP_NAME-<commit>-<time>, and the previous container $APP_NAME-retired while it finishes its requests. A worker is
# called $APP_NAME-<process>-<commit>-<time>, and a release command $APP_NAME-release-command-<commit>-<time>.

readonly RETIRED="$APP_NAME-retired"
readonly EDGE="$APP_NAME-edge" # a container, and the network it shares with the application

# Labels of the application's containers. The first three say what a container is, and whose: their value is $APP_NAME.
readonly LABEL=com.cicd.app               # it serves, or did, or is to
readonly LABEL_WORKER=com.cicd.worker     # it runs one of the processes
readonly LABEL_COMMAND=com.cicd.command   # it runs the release command
readonly LABEL_PROCESS=com.cicd.process   # the worker's process
readonly LABEL_BUILD=com.cicd.build       # the build that made the release
readonly LABEL_PORT=com.cicd.port         # where it listens
readonly LABEL_COMMIT=com.cicd.commit     # its commit: several may have the same image
readonly LABEL_IMAGE=com.cicd.image       # the image it runs
readonly LABEL_PREVIOUS=com.cicd.previous # the previously serving image, kept for a rollback

readonly DOCKER_SECONDS=30 # how long a Docker command or a restart of Docker may take

serving_name() { printf '%s' "$APP_NAME-$CONTAINER_PORT"; }

# uncut COMMAND... runs a command that SIGTERM does not interrupt: the agent signals the hook's process group, and
# timeout(1) creates another one. Otherwise Docker might still be making a change when the script checks what has become
# of it. The script itself gets the signal once the command has ended, unless it runs this in a subshell.
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

# volume_name NAME prints the name of the Docker volume for one of the stack's volumes.
volume_name() { printf '%s' "$APP_NAME-$1"; }

ensure_network() {
  docker network inspect "$EDGE" >/dev/null 2>&1 || docker network create "$EDGE" >/dev/null
}

label() { docker container inspect --format "{{index .Config.Labels \"$2\"}}" "$1"; }

# release_of NAME prints what release a container runs.
release_of() { docker container inspect --format "{{index .Config.Labels \"$LABEL_IMAGE\"}} of commit {{index .Config.Labels \"$LABEL_COMMIT\"}}" "$1"; }

# build_of NAME prints which build made the release that a container runs.
build_of() { label "$1" "$LABEL_BUILD"; }

# worker_of PROCESS prints name and state of this release's worker for a process, if it has one.
worker_of() {
  docker container ls --all --filter "label=$LABEL_WORKER=$APP_NAME" --filter "label=$LABEL_PROCESS=$1" --filter "label=$LABEL_COMMIT=$COMMIT" \
    --format '{{.Names}} {{.State}}'
}

# app_containers prints one line for each container that serves, did or is to, in any state: its name, its image, and
# the image that served before it, if any.
app_containers() {
  docker container ls --all --filter "label=$LABEL=$APP_NAME" --format "{{.Names}} {{.Label \"$LABEL_IMAGE\"}} {{.Label \"$LABEL_PREVIOUS\"}}"
}

# ours prints one line for each of the application's containers, in any state: what it is, "web", "worker" or "command",
# and its name. It takes one call for all, because Docker cannot list those that have one of several labels.
ours() {
  local name web worker command
  while IFS='|' read -r name web worker command; do
    [[ "$web" != "$APP_NAME" ]] || echo "web $name"
    [[ "$worker" != "$APP_NAME" ]] || echo "worker $name"
    [[ "$command" != "$APP_NAME" ]] || echo "command $name"
  done < <(docker container ls --all --format "{{.Names}}|{{.Label \"$LABEL\"}}|{{.Label \"$LABEL_WORKER\"}}|{{.Label \"$LABEL_COMMAND\"}}")
}

# put_back undoes half a switch: if no container has the name that the edge looks up, the retired one gets it back.
put_back() {
  local port serving
  exists "$RETIRED" || return 0
  port="$(label "$RETIRED" "$LABEL_PORT")" # none if no release made the container
  serving="$APP_NAME-${port:-$CONTAINER_PORT}"
  exists "$serving" || uncut docker container rename "$RETIRED" "$serving"
}
