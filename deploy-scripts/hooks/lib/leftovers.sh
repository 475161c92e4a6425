# shellcheck shell=bash
#
# Containers that are in the way. Sourced, not run, after containers.sh and,
# for the edge, edge.sh.

# set_aside NAME LABEL [BEFORE] renames a container that has one of our names and not our label. It may be somebody
# else's, so it is not removed; but its name is needed, or no release and no rollback could ever succeed. BEFORE is its
# earlier name.
set_aside() {
  local aside name="${3:-$1}"
  exists "$1" || return 0
  [[ -z "$(label "$1" "$2")" ]] || return 0
  aside="$name-set-aside-$(date +%s)"
  uncut docker container rename "$1" "$aside" || return 1
  log "warning: the container $name has no label $2, so no release made it, but its name is needed: it is now called $aside; remove it if nobody misses it"
}

# discard_edge removes the old edge. A container that is not ours only loses its name, and may not take the port again.
discard_edge() {
  exists "$EDGE" || return 0 # it may have been one that removes itself
  uncut docker container update --restart no "$EDGE" >/dev/null
  set_aside "$EDGE" "$EDGE_LABEL"
  ! exists "$EDGE" || uncut docker container rm --force --volumes "$EDGE" >/dev/null
}

# repair_edge repairs an interrupted replacement: the new edge stays if it has started, otherwise the old one goes on.
# One that somebody has paused would answer nobody.
repair_edge() {
  local state
  set_aside "$EDGE_NEXT" "$EDGE_LABEL"
  state=" $(docker container ls --all --filter "name=^/$EDGE(-next)?\$" --format '{{.Names}} {{.State}}' | tr '\n' ' ')"
  if [[ "$state" == *" $EDGE_NEXT running "* ]]; then
    [[ "$state" != *" $EDGE "* ]] || discard_edge
    uncut docker container rename "$EDGE_NEXT" "$EDGE"
  else
    [[ "$state" != *" $EDGE_NEXT "* ]] || uncut docker container rm --force --volumes "$EDGE_NEXT" >/dev/null
    [[ "$state" != *" $EDGE paused "* ]] || uncut docker container unpause "$EDGE" >/dev/null
    [[ "$state" != *" $EDGE exited "* ]] || uncut docker container start "$EDGE" >/dev/null || true # left to start.sh
  fi
}
