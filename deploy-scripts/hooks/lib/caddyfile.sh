# shellcheck shell=bash
#
# The edge's configuration: edge/Caddyfile with the names of this host filled in. Sourced, not run, after ending.sh and
# containers.sh.

readonly EDGE_FOLDER=/etc/caddy # in the edge's container

# write_config writes the Caddyfile for this host and release into the work folder, below "new".
write_config() {
  local text checksum
  mkdir -p "$WORK/new/caddy" "$WORK/old/caddy"
  text="$(<"$(dirname "${BASH_SOURCE[0]}")/../../edge/Caddyfile")"
  text="${text//"{\$NAME}"/"$(serving_name)"}"
  text="${text//"{\$PORT}"/"$CONTAINER_PORT"}"
  text="${text//"{\$READ_BODY_IDLE}"/"$(read_body_idle)"}"
  checksum="$(cksum <<<"$text")"
  printf '%s\n' "${text//"{\$CHECKSUM}"/"${checksum%% *}"}" >"$WORK/new/caddy/Caddyfile"
}

# read_body_idle prints the option that lifts Caddy's limit of a minute of silence in a request's body. Versions before 2.11.5
# have neither the limit nor the option (caddyconfig/httpcaddyfile/serveroptions.go). The official image names its version; the
# edge may run an older one than the image that has its name today.
read_body_idle() {
  local environment
  environment="$(docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$EDGE_IMAGE" "$EDGE" 2>/dev/null)" || true
  [[ "$environment" =~ CADDY_VERSION=v2\.([0-9]\.|10\.|11\.[0-4][^0-9]) ]] || printf 'read_body_idle -1s'
}

# copy_config CONTAINER FOLDER copies a configuration from the work folder into a container, because the bundle is deleted
# some day, and the image has no shell. root owns the copy, with fixed modes, whoever runs this under whatever umask: the
# edge is root without capabilities, and cannot read another user's folder. `docker cp` of a file does not ensure that,
# though its manual says so: the daemon takes owner and mode from the archive that it gets (moby, daemon/archive_unix.go,
# containerExtractToDir). The default and minimal AMIs of Amazon Linux 2023 have tar (release notes of 2023.0.20230329).
copy_config() {
  uncut docker cp - "$1:${EDGE_FOLDER%/*}" \
    < <(tar --create --directory "$WORK/$2" --numeric-owner --owner 0 --group 0 --mode u=rwX,go=rX "${EDGE_FOLDER##*/}")
}
