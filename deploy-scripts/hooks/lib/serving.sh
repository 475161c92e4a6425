# shellcheck shell=bash
#
# Who serves: the container of this release, as the edge sees it. Sourced, not run, after release.sh, http.sh and containers.sh.

readonly SEEN_SECONDS=20 # until the edge has looked the name up again: "refresh" in edge/Caddyfile, and time to spare

# upstream prints the address at which the edge reaches the container of this release.
upstream() {
  local serving
  serving="$(serving_name)"
  exists "$serving" || die "no container $serving: hooks/start.sh makes it"
  [[ "$(release_of "$serving")" == "$IMAGE of commit $COMMIT" ]] ||
    die "$serving runs $(release_of "$serving"), want $IMAGE of commit $COMMIT: hooks/start.sh has not switched"
  docker container inspect --format "{{(index .NetworkSettings.Networks \"$EDGE\").IPAddress}}:$CONTAINER_PORT" "$serving"
}

# edge_address prints where the host reaches the edge, "address:port".
edge_address() {
  local addresses # one for each version of IP
  addresses="$(docker container port "$EDGE" 80/tcp)" ||
    die "$EDGE has no port on this host, see above; it says: $(docker container logs --tail 1 "$EDGE" 2>&1 | cut -c 1-300)"
  addresses="${addresses%%$'\n'*}"
  printf '%s\n' "${addresses/#0.0.0.0:/127.0.0.1:}"
}

# await_edge returns when the edge passes requests to the container of this release, and so to no other any more.
await_edge() {
  local address want deadline=$((SECONDS + SEEN_SECONDS))
  address="$(edge_address)"
  want="$(upstream)"
  until [[ "$(http_get "${address%:*}" "${address##*:}" "$HEALTH_PATH")" == *" $want" ]]; do
    ((SECONDS < deadline)) || die "the edge does not pass requests to $(serving_name), $want, within $SEEN_SECONDS s"
    sleep 0.05
  done
}
