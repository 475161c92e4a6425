# shellcheck shell=bash
#
# The only HTTP request that the hooks need, with bash's own TCP, so that a host needs no HTTP client. Sourced, not run.

readonly HTTP_SECONDS=2 # longest wait for a line of an answer

# http_get HOST PORT PATH sends a GET and prints the answer's status code and X-Upstream header ("-" without one). Without a
# complete answer the status is 000. It runs in a subshell, because a peer that hangs up may end it by SIGPIPE.
http_get() {
  (
    exec 3<>"/dev/tcp/$1/$2" || exit
    printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$3" "$1" >&3
    IFS=' ' read -r -t "$HTTP_SECONDS" -u 3 _ status _ || exit
    upstream='-'
    while IFS= read -r -t "$HTTP_SECONDS" -u 3 line || exit; do
      line="${line%$'\r'}"
      [[ "$line" ]] || break
      [[ "${line,,}" != x-upstream:* ]] || upstream="${line#*: }"
    done
    printf '%s %s\n' "${status%$'\r'}" "$upstream" # a status line may have no reason phrase
  ) 2>/dev/null || printf '000 -\n'
}
