# shellcheck shell=bash
#
# What to change about an application that does not become healthy. Sourced, not run, after http.sh and candidate.sh.

# advice ANSWER prints what to change, given what http_get printed instead of 200.
advice() {
  local listens=''
  case "$1" in
    200) echo "it came and went: the path must answer 200 whenever the application is ready" ;;
    3*) echo "exempt the path from redirects, such as those to HTTPS or to a login" ;;
    400 | 403 | 421) echo "it may refuse the header 'Host: $HEALTH_HOST', the address of this stack: let it accept that (Django: ALLOWED_HOSTS; Rails: config.hosts)" ;;
    401) echo "the path must not ask for a login" ;;
    404) echo "check healthPath" ;;
    [1245]*) echo "check containerPort and healthPath, and what the application says" ;;
    *) listens="$(listens)" ;;&
    timeout) echo "${listens:-it accepts a connection, but does not answer within $HTTP_SECONDS s: the path must do no more than tell whether the application is ready}" ;;
    not-http) echo "what listens there does not speak plain HTTP: check containerPort, and that it does not expect TLS" ;;
    refused | reset | closed) echo "${listens:-it accepts a connection and ends it without an answer: check containerPort, and that it speaks plain HTTP there}" ;;
  esac
}

# listens prints where the candidate listens, if that explains why nobody gets an answer on $CONTAINER_PORT. A connection alone
# does not tell: Docker's proxy accepts it in any case. Where containers are not processes of this machine, it prints nothing.
listens() {
  local pid id address state port here='' elsewhere=()
  read -r pid id < <(docker container inspect --format '{{.State.Pid}} {{.Id}}' "$CANDIDATE" 2>/dev/null) || return 0
  grep -qs "$id" "/proc/$pid/cgroup" || return 0
  while read -r _ address _ state _; do # Documentation/networking/proc_net_tcp.rst of Linux
    port=$((16#${address#*:}))
    case "$state ${address%:*}" in
      '0A 0B00007F') ;; # 127.0.0.11, Docker's name server
      '0A '*7F | '0A 00000000000000000000000001000000') ((port != CONTAINER_PORT)) || here="${here:-loopback}" ;;
      '0A '*) if ((port == CONTAINER_PORT)); then here=all; else elsewhere+=("$port"); fi ;;
    esac
  done < <(tail --quiet --lines +2 "/proc/$pid/net/tcp" "/proc/$pid/net/tcp6" 2>/dev/null)
  case "$here" in
    all) ;;
    loopback) echo "it listens on the loopback interface alone, where nobody outside its container reaches it: let it listen on 0.0.0.0" ;;
    *) echo "it does not listen on port $CONTAINER_PORT${elsewhere:+, but on ${elsewhere[*]}}: let it listen on the port in PORT, or set containerPort" ;;
  esac
}
