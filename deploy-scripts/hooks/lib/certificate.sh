# shellcheck shell=bash
#
# Whether the edge has a certificate for the stack's domain, and if not, why. Sourced, not run, after settings.sh,
# http.sh, json.sh, containers.sh and serving.sh.
#
# The edge gets and renews it by itself, and tries again for 30 days (caddyserver/certmagic, async.go, doWithRetry).
# Until there is one, it serves the domain over HTTP. So a release waits a moment for the first one, and never fails for
# the lack.

readonly CERTIFICATE_SECONDS=30 # a CA takes a few seconds

# await_certificate waits until the edge has a certificate. It tells why there is none, or why the one that there is is
# not being renewed.
await_certificate() {
  local end=$((SECONDS + CERTIFICATE_SECONDS)) reason=''
  [[ "$DOMAIN" ]] || return 0
  until certified; do
    reason="$(failure)"
    if [[ -n "$reason" ]] || ((SECONDS >= end)); then
      log "warning: there is no certificate for $DOMAIN yet, so HTTP goes on, without HTTPS; the edge keeps trying: ${reason:-the CA has not answered within $CERTIFICATE_SECONDS s}"
      return 0
    fi
    sleep 0.2
  done
  reason="$(failure)"
  [[ -z "$reason" ]] || log "warning: the certificate of $DOMAIN is not being renewed, and HTTPS ends when it expires; the edge keeps trying: $reason"
}

# certified reports whether the edge redirects the domain to HTTPS: that is, whether it has a certificate. An
# application may redirect too; then the edge says which container did.
certified() {
  local address status upstream
  address="$(edge_address)"
  read -r status upstream < <(HEALTH_HOST="$DOMAIN" http_get "${address%:*}" "${address##*:}" "$HEALTH_PATH")
  [[ "$status" == 308 && ! "$upstream" =~ :[0-9]+$ ]] # it leaves a placeholder there if no container has answered
}

# failure prints why the edge's last attempt to get a certificate for the domain has failed, unless it has succeeded
# since. The lines are Caddy's JSON; the names are those of certmagic, config.go, obtainCert and renewCert.
failure() {
  local line
  line="$(docker container logs --since 168h "$EDGE" 2>&1 | grep -F "$DOMAIN" | grep -E '"logger":"tls\.(obtain|renew)"' |
    grep -E '"level":"error"|"msg":"certificate (obtained|renewed) successfully"' | tail -n 1)" || return 0
  [[ "$line" == *'"level":"error"'* ]] || return 0
  json_field "$line" error || FIELD="$line"
  printf '%s' "${FIELD:0:600}" | tr '\n' ' '
}
