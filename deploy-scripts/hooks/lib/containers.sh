# shellcheck shell=bash
#
# This host's Docker objects. All state is kept in them, as names and labels. Sourced, not run.
#
# The container that serves is called $APP_NAME-<its port>: that is the name that the edge looks up. A candidate is
# $APP_NAME-<commit>-<time>; the one that served before is $APP_NAME-retired while it finishes its requests.

readonly RETIRED="$APP_NAME-retired"
readonly EDGE="$APP_NAME-edge" # a container, and the network it shares with the application

# Labels of the application's containers.
readonly LABEL=com.cicd.app               # $APP_NAME
readonly LABEL_PORT=com.cicd.port         # where it listens
readonly LABEL_COMMIT=com.cicd.commit     # of which commit: several may have the same image
readonly LABEL_IMAGE=com.cicd.image       # what it runs
readonly LABEL_PREVIOUS=com.cicd.previous # the image that served before it, kept for a rollback

readonly STOP_SECONDS=30 # how long a container may take to finish its requests after SIGTERM

serving_name() { printf '%s' "$APP_NAME-$CONTAINER_PORT"; }

exists() { docker container inspect "$1" >/dev/null 2>&1; }

ensure_network() {
  docker network inspect "$EDGE" >/dev/null 2>&1 || docker network create "$EDGE" >/dev/null
}

label() { docker container inspect --format "{{index .Config.Labels \"$2\"}}" "$1"; }

# release_of NAME prints what a container runs.
release_of() { printf '%s of commit %s' "$(label "$1" "$LABEL_IMAGE")" "$(label "$1" "$LABEL_COMMIT")"; }

# app_containers prints a line for each of the application's containers, whatever its state: its name, the image that it
# runs, and the one that served before it, if any did.
app_containers() {
  docker container ls --all --filter "label=$LABEL=$APP_NAME" --format "{{.Names}} {{.Label \"$LABEL_IMAGE\"}} {{.Label \"$LABEL_PREVIOUS\"}}"
}

# retire_all_but PATTERN stops and removes the application's containers whose names do not match. Not worth failing a release
# for: what is left behind goes with the next one.
retire_all_but() {
  local name others=()
  while read -r name _; do
    [[ "$name" =~ $1 ]] || others+=("$name")
  done < <(app_containers)
  ((${#others[@]} > 0)) || return 0
  docker container stop -t "$STOP_SECONDS" "${others[@]}" >/dev/null || log "not stopped: ${others[*]}"
  docker container rm --force --volumes "${others[@]}" >/dev/null || log "not removed: ${others[*]}"
}

# repair mends what a run left that was killed: a switch half done, candidates, a container that was being retired.
repair() {
  local serving
  if exists "$RETIRED"; then
    serving="$APP_NAME-$(label "$RETIRED" "$LABEL_PORT")"
    exists "$serving" || docker container rename "$RETIRED" "$serving"
  fi
  retire_all_but "^$APP_NAME-[0-9]{1,5}\$"
}

# prune_images removes the images of a repository that neither run here nor ran before what runs (F38). Docker keeps those
# that are in use.
prune_images() {
  local image keep
  keep=" $(app_containers | tr '\n' ' ') "
  while read -r image; do
    [[ "$keep" == *" $image "* ]] || docker image rm "$image" >/dev/null 2>&1 || log "image kept, it is in use: $image"
  done < <(docker image ls --digests --format '{{.Repository}}@{{.Digest}}' --filter "reference=$1" | grep -v '@<none>$' | sort -u)
}
