# shellcheck shell=bash
#
# How every container of the application is started, whatever it runs. Sourced, not run, after containers.sh,
# settings.sh, secrets.sh and logs.sh.
#
# Reads: VOLUMES (lib/settings.sh)

STAMP="$(date +%s)" # in the names of this run's containers
readonly STAMP

# container_of PROCESS prints the name of this run's container for a process.
container_of() { printf '%s' "$APP_NAME-$1-${COMMIT:0:12}-$STAMP"; }

# run_application NAME PROCESS OPTION... [-- WORD...] runs the image with the release's environment; the words, if any,
# replace its CMD. If that fails, the reason is in the work folder. The secrets' values are only in Docker's own
# environment.
run_application() {
  local name="$1" process="$2" options=() variable volume
  shift 2
  while (($# > 0)) && [[ "$1" != -- ]]; do
    options+=("$1")
    shift
  done
  for variable in "${ENVIRONMENT[@]}" "${!VALUES[@]}" "PORT=$CONTAINER_PORT" "RELEASE_COMMIT=$COMMIT" "RELEASE_IMAGE=$IMAGE"; do
    options+=(--env "$variable")
  done
  for volume in "${VOLUMES[@]}"; do
    options+=(--mount "type=volume,source=$(volume_name "${volume%%=*}"),target=${volume#*=}")
  done
  uncut bash "${BASH_SOURCE[0]%/*}/with-secrets.sh" docker container run --detach --pull never --name "$name" --network "$EDGE" \
    "${options[@]}" --label "$LABEL_COMMIT=$COMMIT" --label "$LABEL_BUILD=$BUILD_ID" \
    --security-opt no-new-privileges --stop-timeout "$STOP_SECONDS" \
    --log-driver awslogs --log-opt "awslogs-region=$AWS_REGION" --log-opt "awslogs-group=$LOG_GROUP" \
    --log-opt "awslogs-stream=$(stream "$process")" --log-opt awslogs-create-stream=false \
    --log-opt mode=non-blocking --log-opt max-buffer-size=4m --log-opt cache-max-size=10m --log-opt cache-max-file=3 \
    "$IMAGE" "${@:2}" < <(secret_variables) >/dev/null 2>"$WORK/reason"
}

# reason prints why Docker did not start a container.
reason() { tr '\n' ' ' <"$WORK/reason"; }
