# shellcheck shell=bash
#
# Whether the edge has a certificate for the stack's domain, and if not, why. Sourced, not run, after settings.sh,
# http.sh, json.sh, containers.sh and serving.sh.
#
# The edge gets and renews it by itself, and tries again for 30 days (caddyserver/certmagic, async.go, doWithRetry).
# Until there is one, it serves the domain over HTTP. So a release waits a moment for the first one, and never fails for
# the lack.

readonly CERTIFICATE_SECONDS=30 # a CA takes a few seconds
readonly BEGAN='"msg":"(acquiring lock|obtaining certificate|renewing certificate)"'
readonly FAILED='"level":"error"'
readonly SUCCEEDED='"msg":"certificate (obtained|renewed) successfully"'

# await_certificate waits until the edge has a certificate. It tells why there is none, or why the one that there is is
# not being renewed. A new configuration makes the edge try at once, so why an earlier attempt failed says nothing while
# the next one is under way.
await_certificate() {
  local end=$((SECONDS + CERTIFICATE_SECONDS)) reason=''
  [[ "$DOMAIN" ]] || return 0
  until certified; do
    attempting || reason="$(failure)"
    if [[ "$reason" ]] || ((SECONDS >= end)); then
      reason="${reason:-$(failure)}"
      log "warning: there is no certificate for $DOMAIN yet, so HTTP goes on, without HTTPS; the edge keeps trying: ${reason:-the CA has not answered within $CERTIFICATE_SECONDS s}"
      return 0
    fi
    sleep 0.2
  done
  attempting || reason="$(failure)"
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
# since.
failure() {
  local line
  line="$(attempts | grep -E "$FAILED|$SUCCEEDED" | tail -n 1)" || return 0
  [[ "$line" =~ $FAILED ]] || return 0
  json_field "$line" error || FIELD="$line"
  printf '%s' "${FIELD:0:600}" | tr '\n' ' '
}

# attempting reports whether an attempt to get a certificate has begun and not ended.
attempting() {
  local line
  line="$(attempts | tail -n 1)" && [[ "$line" =~ $BEGAN ]]
}

# attempts prints the lines that the edge has logged about the beginnings and ends of its attempts for the domain. The
# lines are Caddy's JSON; the names are those of certmagic, config.go, obtainCert and renewCert. An attempt of the
# configuration before ends canceled after the next one has begun (manageOne).
attempts() {
  docker container logs --since 168h "$EDGE" 2>&1 | grep -F "$DOMAIN" | grep -E '"logger":"tls\.(obtain|renew)"' |
    grep -E "$BEGAN|$FAILED|$SUCCEEDED" | grep -vF 'context canceled'
}
