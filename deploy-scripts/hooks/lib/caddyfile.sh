# shellcheck shell=bash
#
# The edge's configuration: edge/Caddyfile with the names of this host filled in, and with the stack's domain, if it has
# one. Sourced, not run, after ending.sh, settings.sh and containers.sh.
#
# Reads: ACME_DIRECTORY   the CA's directory (default: that of Let's Encrypt)
#        ACME_ROOT        a file with the certificate to trust the CA's API by (default: the image's own)

readonly EDGE_FOLDER=/etc/caddy # in the edge's container
readonly ACME_DIRECTORY="${ACME_DIRECTORY:-https://acme-v02.api.letsencrypt.org/directory}"
readonly ACME_ROOT="${ACME_ROOT:-}"

# write_config writes the Caddyfile for this host and release into the work folder, below "new".
write_config() {
  local folder text checksum automatic=off protocols='h1 h2c' early='' root=''
  folder="${BASH_SOURCE[0]%/*}/../../edge"
  mkdir -p "$WORK/new/caddy" "$WORK/old/caddy"
  text="$(<"$folder/Caddyfile")"
  if [[ "$DOMAIN" ]]; then
    text+=$'\n\n'"$(<"$folder/domain.caddyfile")"
    automatic=disable_redirects protocols='h1 h2 h2c h3' early='0rtt off'
    [[ -z "$ACME_ROOT" ]] || root="trusted_roots $EDGE_FOLDER/acme-root.pem"
    [[ -z "$ACME_ROOT" ]] || tee "$WORK/old/caddy/acme-root.pem" <"$ACME_ROOT" >"$WORK/new/caddy/acme-root.pem" # a reload reads it before it ends
  fi
  text="${text//"{\$NAME}"/"$(serving_name)"}"
  text="${text//"{\$PORT}"/"$CONTAINER_PORT"}"
  text="${text//"{\$READ_BODY_IDLE}"/"$(read_body_idle)"}"
  text="${text//"{\$AUTO_HTTPS}"/"$automatic"}"
  text="${text//"{\$PROTOCOLS}"/"$protocols"}"
  text="${text//"{\$EARLY_DATA}"/"$early"}"
  text="${text//"{\$DOMAIN}"/"$DOMAIN"}"
  text="${text//"{\$ACME_DIRECTORY}"/"$ACME_DIRECTORY"}"
  text="${text//"{\$ACME_ROOT}"/"$root"}"
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
