# shellcheck shell=bash
#
# How the candidate takes over the name that the edge looks up, and how that is undone. Sourced, not run, after
# candidate.sh, release_command.sh and processes.sh.

FREE_NAME='' # the serving name, if the candidate takes that before the switch because no other container has it

# take_free_name is for the first release and one on another port: nobody has its serving name, so it can take that at
# once.
take_free_name() {
  local serving
  serving="$(serving_name)"
  ! exists "$serving" || return 0
  FREE_NAME="$serving"
  uncut docker container rename "$CANDIDATE" "$FREE_NAME"
}

# outlive_reboots sets the restart policy of a container that is healthy: before that, an exit is a failure.
outlive_reboots() { docker container update --restart unless-stopped "${FREE_NAME:-$CANDIDATE}" >/dev/null; }

# switch gives the serving name to the candidate. Between the two renames the name is unknown, and the edge makes
# requests wait. No connection is cut, and none is opened to a container that is about to go: a request with a body
# could not be retried, because the first try consumes the body. Whatever ends the script in between, undo restores the
# old container; after SIGKILL the next prepare.sh does, and CodeDeploy's rollback begins with that.
switch() {
  local serving
  serving="$(serving_name)"
  if [[ -z "$FREE_NAME" ]]; then
    uncut docker container rename "$serving" "$RETIRED"
    uncut docker container rename "$CANDIDATE" "$serving" ||
      die "commit $COMMIT did not get the name $serving, see above: the old release keeps serving"
  fi
  CANDIDATE=''
}

# undo keeps the old release serving and removes the new one, unless the edge may already use it: then it stays until
# the next release, so there is a container under either name.
undo() {
  [[ -n "$COMMAND$CANDIDATE${WORKERS[*]}" ]] || return 0
  await_docker
  [[ -z "$COMMAND" ]] || discard_command
  discard_workers
  [[ -n "$CANDIDATE" ]] || return 0
  put_back
  repair_edge
  if [[ -z "$FREE_NAME" ]] || ! edge_changed; then
    uncut docker container rm --force --volumes "$CANDIDATE" ${FREE_NAME:+"$FREE_NAME"} >/dev/null 2>&1
  fi
}
