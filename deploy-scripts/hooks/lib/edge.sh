# shellcheck shell=bash
#
# The edge: the container that owns the host's port 80, and with a domain port 443, and passes requests to the
# application. It outlives releases; its certificates, in a volume, outlive the edge. Sourced, not run, after
# settings.sh, containers.sh, leftovers.sh and, where ensure_edge is used, caddyfile.sh.
#
# If a release changes edge/Caddyfile or the application's port, the running edge loads the new configuration. First it asks
# clients with open connections to open new ones, so a client that keeps its connection busy loses nothing. A connection that
# is just being opened when the old configuration ends can be closed without an answer (net/http, conn.serve returns once the
# server shuts down). A request whose body the old configuration is still reading then gets 503 if it meets the moment of the
# switch, instead of waiting (Caddy, reverseproxy.go: tryAgain ends with the configuration's context).
#
# Only another image or other ports of the edge itself replace it: port 80 is closed while the old one finishes its
# requests, and a quarter of a second more.
#
# Reads: EDGE_IMAGE   Caddy 2 (default: the official image. Its tag names no patch release, because not every one becomes
#                     an image: docker-library/official-images, library/caddy)
#        EDGE_PORT, EDGE_TLS_PORT    where Docker publishes the edge, [address:]port (default 80 and 443)

readonly EDGE_IMAGE="${EDGE_IMAGE:-public.ecr.aws/docker/library/caddy:2.11}"
readonly EDGE_PORT="${EDGE_PORT:-80}"
readonly EDGE_TLS_PORT="${EDGE_TLS_PORT:-443}"
readonly EDGE_NEXT="$EDGE-next"
readonly EDGE_DATA="$EDGE-data"   # the volume with the certificates and their keys
readonly EDGE_LABEL=com.cicd.edge # the image and ports it was created with
readonly EDGE_STOP_SECONDS=12     # for requests in flight when the edge itself is replaced, after the delay of edge/Caddyfile

EDGE_CHANGED='' # set as soon as the edge's configuration may have changed

edge_changed() { [[ -n "$EDGE_CHANGED" ]]; }

# edge_label prints what an edge for this release is created with.
edge_label() { printf '%s' "$EDGE_IMAGE $EDGE_PORT${DOMAIN:+ $EDGE_TLS_PORT}"; }

# create_edge creates $EDGE_NEXT without starting it. With ndots set, Docker answers at once that a name of one label is
# unknown, and does not ask outside (moby, daemon/libnetwork/resolver.go).
create_edge() {
  local secure=()
  [[ -z "$DOMAIN" ]] || secure=(--publish "$EDGE_TLS_PORT:443/tcp" --publish "$EDGE_TLS_PORT:443/udp" --volume "$EDGE_DATA:/data")
  uncut docker container create --name "$EDGE_NEXT" --network "$EDGE" --dns-opt ndots:1 --publish "$EDGE_PORT:80" "${secure[@]}" --restart unless-stopped \
    --cap-drop ALL --cap-add NET_BIND_SERVICE --security-opt no-new-privileges \
    --log-driver local --log-opt max-size=10m --log-opt max-file=3 --label "$EDGE_LABEL=$(edge_label)" \
    "$EDGE_IMAGE" caddy run --config "$EDGE_FOLDER/Caddyfile" --adapter caddyfile >/dev/null
  copy_config "$EDGE_NEXT" new
}

# reload_edge loads a changed configuration into the running edge, which only starts with it once it has accepted it. Until
# then a comment makes the old file differ from any other: after an interruption, the next release loads its own.
reload_edge() {
  echo '# being replaced' >>"$WORK/old/caddy/Caddyfile"
  copy_config "$EDGE" old
  EDGE_CHANGED=true
  if ! uncut docker exec --interactive "$EDGE" caddy reload --config - --adapter caddyfile \
    --address "unix/$EDGE_FOLDER/admin.sock" <"$WORK/new/caddy/Caddyfile"; then
    EDGE_CHANGED=''
    die "the edge rejects edge/Caddyfile, see above: it keeps the old one"
  fi
  copy_config "$EDGE" new
}

replace_edge() {
  create_edge
  uncut docker container stop -t "$EDGE_STOP_SECONDS" "$EDGE" >/dev/null
  EDGE_CHANGED=true
  if ! uncut docker container start "$EDGE_NEXT" >/dev/null; then
    EDGE_CHANGED=''
    repair_edge
    die "no edge with image and ports $(edge_label), see above: the old one keeps running"
  fi
  discard_edge
  uncut docker container rename "$EDGE_NEXT" "$EDGE"
}

# look_at_edge writes into the work folder this release's configuration, whether the edge runs, "true" or "false", with its
# label, and its configuration. It changes nothing, so it may run while the candidate starts.
look_at_edge() {
  local found
  write_config
  found="$(docker container inspect --format "{{.State.Running}} {{index .Config.Labels \"$EDGE_LABEL\"}}" "$EDGE" 2>/dev/null)" || found=''
  printf '%s' "$found" >"$WORK/edge"
  [[ "${found#* }" != "$(edge_label)" ]] || docker cp "$EDGE:$EDGE_FOLDER/Caddyfile" "$WORK/old/caddy/Caddyfile"
}

# ensure_edge makes sure, after look_at_edge, that an edge runs and passes requests to this release's serving name.
ensure_edge() {
  local found current=old
  found="$(<"$WORK/edge")"
  if [[ -z "$found" ]]; then
    create_edge
    uncut docker container rename "$EDGE_NEXT" "$EDGE"
    current=new
  elif [[ "${found#* }" != "$(edge_label)" ]]; then
    replace_edge
    current=new
  fi
  [[ "${found%% *}" == true ]] || uncut docker container start "$EDGE" >/dev/null || die "the edge does not start: is port $EDGE_PORT${DOMAIN:+ or $EDGE_TLS_PORT} taken?"
  [[ "$(<"$WORK/new/caddy/Caddyfile")" == "$(<"$WORK/$current/caddy/Caddyfile")" ]] || reload_edge
}
