# shellcheck shell=bash
#
# The edge: the container that owns the host's port 80 and passes requests to the application. It outlives releases. Sourced,
# not run.
#
# A release that changes edge/Caddyfile, or the application's port, makes the running edge load the new configuration. That
# closes client connections which are idle: under load a few requests in 100,000 hit one of those. Only another image or
# port of the edge itself replaces it: port 80 is then closed for a quarter of a second, and before that while the old one
# finishes its requests.
#
# Reads: EDGE_IMAGE   Caddy 2 (default: the official image)
#        EDGE_PORT    what Docker publishes the edge on, [address:]port (default 80)

readonly EDGE_IMAGE="${EDGE_IMAGE:-public.ecr.aws/docker/library/caddy:2.10.0}"
readonly EDGE_PORT="${EDGE_PORT:-80}"
readonly EDGE_NEXT="$EDGE-next"
readonly EDGE_LABEL=com.cicd.edge      # image and port it was made with
readonly EDGE_FOLDER=/etc/caddy        # in the container
readonly EDGE_STOP_SECONDS=10          # for requests in flight when the edge itself is replaced

# edge_config prints the Caddyfile for this host and release.
edge_config() {
  local text
  text="$(<"$(dirname "${BASH_SOURCE[0]}")/../../edge/Caddyfile")"
  text="${text//"{\$NAME}"/"$(serving_name)"}"
  printf '%s\n' "${text//"{\$PORT}"/"$CONTAINER_PORT"}"
}

# create_edge makes $EDGE_NEXT, without starting it. Its configuration is copied in: the bundle is deleted one day, and the
# image has no shell. With ndots set, Docker answers at once that a name is unknown and does not ask outside.
create_edge() {
  docker container create --name "$EDGE_NEXT" --network "$EDGE" --dns-opt ndots:1 --publish "$EDGE_PORT:80" --restart unless-stopped \
    --cap-drop ALL --cap-add NET_BIND_SERVICE --security-opt no-new-privileges \
    --log-driver local --log-opt max-size=10m --log-opt max-file=3 --label "$EDGE_LABEL=$EDGE_IMAGE $EDGE_PORT" \
    "$EDGE_IMAGE" caddy run --config "$EDGE_FOLDER/Caddyfile" --adapter caddyfile >/dev/null
  docker cp "$WORK/caddy" "$EDGE_NEXT:${EDGE_FOLDER%/*}"
}

# reload_edge hands the running edge a changed configuration, which becomes the one it starts with only after it took it.
reload_edge() {
  docker cp "$WORK/caddy/Caddyfile" "$EDGE:$EDGE_FOLDER/Caddyfile.next"
  docker exec "$EDGE" caddy reload --config "$EDGE_FOLDER/Caddyfile.next" --adapter caddyfile \
    --address "unix/$EDGE_FOLDER/admin.sock" || die "the edge refuses edge/Caddyfile, see above: it keeps the old one"
  docker cp "$WORK/caddy/Caddyfile" "$EDGE:$EDGE_FOLDER/Caddyfile"
}

replace_edge() {
  create_edge
  docker container stop -t "$EDGE_STOP_SECONDS" "$EDGE" >/dev/null
  if ! docker container start "$EDGE_NEXT" >/dev/null; then
    docker container start "$EDGE" >/dev/null
    docker container rm --force --volumes "$EDGE_NEXT" >/dev/null
    die "no edge with image $EDGE_IMAGE on port $EDGE_PORT, see above: the old one goes on"
  fi
  docker container rm --volumes "$EDGE" >/dev/null
  docker container rename "$EDGE_NEXT" "$EDGE"
}

# repair_edge removes what a run left that was killed.
repair_edge() { docker container rm --force --volumes "$EDGE_NEXT" >/dev/null 2>&1 || true; }

# ensure_edge leaves an edge running that passes requests to this release's serving name.
ensure_edge() {
  local found # whether the edge runs, "true" or "false", and image and port it was made with
  mkdir -p "$WORK/caddy"
  edge_config >"$WORK/caddy/Caddyfile"
  if ! found="$(docker container inspect --format "{{.State.Running}} {{index .Config.Labels \"$EDGE_LABEL\"}}" "$EDGE" 2>/dev/null)"; then
    create_edge
    docker container rename "$EDGE_NEXT" "$EDGE"
  elif [[ "${found#* }" != "$EDGE_IMAGE $EDGE_PORT" ]]; then
    replace_edge
  fi
  [[ "${found%% *}" == true ]] || docker container start "$EDGE" >/dev/null || die "the edge does not start: is port $EDGE_PORT taken?"
  docker cp "$EDGE:$EDGE_FOLDER/Caddyfile" "$WORK/Caddyfile.running"
  cmp -s "$WORK/caddy/Caddyfile" "$WORK/Caddyfile.running" || reload_edge
}
