# shellcheck shell=bash
#
# The workers: a container for each process, of the same image and environment, without a port. Sourced, not run, after
# run.sh.
#
# Reads: PROCESSES and PROCESS_WORDS (lib/settings.sh)

WORKERS=()     # this release's
STARTING=false # whether some of them may lack

# start_workers starts this release's workers beside the old ones. They outlive reboots from the start: one that ends at
# once is found by validate.sh.
start_workers() {
  local process word words
  STARTING=true
  for process in "${PROCESSES[@]}"; do
    words=()
    for word in "${PROCESS_WORDS[@]}"; do
      [[ "$word" != "$process="* ]] || words+=("${word#*=}")
    done
    WORKERS+=("$(container_of "$process")")
    run_application "${WORKERS[-1]}" "$process" --label "$LABEL_WORKER=$APP_NAME" --label "$LABEL_PROCESS=$process" \
      --restart unless-stopped -- "${words[@]}" || die "the process $process of commit $COMMIT does not start: $(reason)"
  done
  STARTING=false
}

# discard_workers removes this release's workers if they did not all start: the old ones go on.
discard_workers() {
  [[ "$STARTING" == false || -z "${WORKERS[*]}" ]] || uncut docker container rm --force --volumes "${WORKERS[@]}" >/dev/null 2>&1
}
