# shellcheck shell=bash
#
# The only HTTP request that the hooks need, with bash's own TCP, so that a host needs no HTTP client. Sourced, not run.
#
# Reads: HEALTH_HOST   the name or address that visitors use (lib/release.sh)

readonly HTTP_SECONDS=10 # longest wait for the header of an answer

# http_get HOST PORT PATH sends a GET and prints the answer's status code and X-Upstream header ("-" without one). Without a
# complete header it prints, instead of the code, what happened: refused, reset, closed, timeout, or not-http.
http_get() {
  local header ended=0 line upstream='-'
  header="$(http_header "$@" 2>&1)" || ended=$?
  if [[ "$header" =~ ^HTTP/[0-9.]+\ +([0-9]{3})($|[[:space:]]) ]] && ((ended == 0)); then # it may lack a reason phrase
    while IFS= read -r line; do
      [[ "${line,,}" != x-upstream:* ]] || upstream="${line#*: }"
    done <<<"$header"
    printf '%s %s\n' "${BASH_REMATCH[1]}" "$upstream"
  elif ((ended == 7)); then
    echo 'refused -'
  elif [[ "$header" == *'reset by peer'* ]] || ((ended == 141)); then # it may be reset while the request is being sent
    echo 'reset -'
  elif [[ -n "$header" && "$header" != HTTP/* ]]; then
    echo 'not-http -'
  elif ((ended == 124)); then
    echo 'timeout -'
  else
    echo 'closed -'
  fi
}

# http_header HOST PORT PATH sends a GET and prints the lines of the answer's header, or the error. It ends its process with
# 7 if nobody accepts a connection, 124 if time is up, 1 or SIGPIPE if the peer hangs up.
http_header() {
  local line status end=$((SECONDS + HTTP_SECONDS))
  LC_ALL=C # for bash's own messages
  { exec 3<>"/dev/tcp/$1/$2"; } 2>/dev/null || exit 7
  printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$3" "${HEALTH_HOST:-$1}" >&3
  while ((SECONDS < end)); do
    status=0
    IFS= read -r -t "$((end - SECONDS))" -u 3 line || status=$?
    line="${line%$'\r'}"
    printf '%s\n' "$line"
    ((status == 0)) || exit "$((status > 128 ? 124 : 1))"
    [[ "$line" ]] || exit 0
  done
  exit 124
}

# first_address prints the first of the addresses that docker container port has printed, of IP version 4: bash's TCP cannot
# read the others, and not every version of the CLI sorts them (docker/cli, cli/command/container/port.go).
first_address() {
  local address
  while read -r address; do
    [[ "$address" == *::* ]] || break
  done <<<"$1"
  printf '%s' "$address"
}
