# shellcheck shell=bash
#
# The serving container of this release, as the edge sees it. Sourced, not run, after release.sh, http.sh and containers.sh.

readonly SEEN_SECONDS=20 # until the edge has looked the name up again: "refresh" in edge/Caddyfile, plus a margin

# upstream prints the address at which the edge reaches the serving container. While Docker starts that again, it has none,
# ":<port>", and then perhaps another one.
upstream() {
  docker container inspect --format "{{(index .NetworkSettings.Networks \"$EDGE\").IPAddress}}:$CONTAINER_PORT" "$(serving_name)"
}

# check_switched ends the hook unless the container of this release has the name that the edge looks up.
check_switched() {
  local serving release
  serving="$(serving_name)"
  exists "$serving" || die "no container $serving: hooks/start.sh creates it"
  release="$(release_of "$serving")"
  [[ "$release" == "$IMAGE of commit $COMMIT" ]] ||
    die "$serving runs $release, want $IMAGE of commit $COMMIT: hooks/start.sh has not switched"
}

# edge_address prints the address at which the host reaches the edge, "address:port".
edge_address() {
  local addresses
  addresses="$(docker container port "$EDGE" 80/tcp)" ||
    die "$EDGE has no port on this host, see above; its last log line: $(docker container logs --tail 1 "$EDGE" 2>&1 | cut -c 1-300)"
  addresses="$(first_address "$addresses")"
  printf '%s\n' "${addresses/#0.0.0.0:/127.0.0.1:}"
}

# await_edge waits until the edge passes requests to this release's container, and so to no other any more.
await_edge() {
  local address want answer deadline=$((SECONDS + SEEN_SECONDS))
  check_switched
  address="$(edge_address)"
  want="$(upstream)"
  until answer="$(http_get "${address%:*}" "${address##*:}" "$HEALTH_PATH")" && [[ "$answer" == *" $want" ]]; do
    ((SECONDS < deadline)) || die "the edge did not pass requests to $(serving_name), $want, within $SEEN_SECONDS s: it answers '$answer' (status and container)"
    sleep 0.05
    want="$(upstream)"
  done
}
