# shellcheck shell=bash
#
# The docker command of a rehearsed host, after the lines that set the variables below: see hostdocker.go. All hosts share
# this machine's Docker daemon, which has no host's role, so its log driver awslogs could not reach the stack's log group. A
# container for which a hook chooses that driver gets the driver gelf, which sends what it prints to the rehearsal. It also
# gets the name host.docker.internal, so that a database on this machine can stand for the stack's.
#
# A Docker volume for a folder of a disk gets one that stands for it: the daemon cannot mount a rehearsed disk, and what
# containers write as root in a folder of the rehearsal, its user could not remove. All hosts that mount the disk get
# the same.
#
# Everything else goes to the real command unchanged.
#
# Reads: REHEARSAL_DOCKER   the real command
#        REHEARSAL_LOGS     where the rehearsal receives what containers print, address:port
#        REHEARSAL_REGION   the stack's
#        REHEARSAL_NAME     the prefix of the rehearsal's Docker objects
#        REHEARSAL_MOUNTS   what is mounted, see disks.sh
#
# Every name set here begins so, in capitals or not: the variables of a container arrive in the environment, under any other.

refuse() {
  printf 'docker: Error response from daemon: %s.\n' "$*" >&2
  exit 125
}

# rehearsal_volume FOLDER sets REPLY to the path that stands for a folder of a mounted disk, or fails.
rehearsal_volume() {
  local rehearsal_folder rehearsal_disk rehearsal_id
  while read -r rehearsal_folder rehearsal_disk rehearsal_id; do
    [[ "$1" == "$rehearsal_folder"/* && -d "$1" && -e "$rehearsal_disk" ]] || continue
    rehearsal_id="$REHEARSAL_NAME-$rehearsal_id-${1##*/}"
    "$REHEARSAL_DOCKER" volume create "$rehearsal_id" >/dev/null
    REPLY="$("$REHEARSAL_DOCKER" volume inspect --format '{{.Mountpoint}}' "$rehearsal_id")" && return
  done <"$REHEARSAL_MOUNTS"
  return 1
}

if [[ "$1 $2" == 'volume create' ]]; then
  rehearsal_arguments=()
  for rehearsal_argument in "$@"; do
    [[ "$rehearsal_argument" != device=* ]] || ! rehearsal_volume "${rehearsal_argument#device=}" || rehearsal_argument="device=$REPLY"
    rehearsal_arguments+=("$rehearsal_argument")
  done
  exec "$REHEARSAL_DOCKER" "${rehearsal_arguments[@]}"
fi

[[ " $* " == *' --log-driver awslogs '* ]] || exec "$REHEARSAL_DOCKER" "$@"

declare -A rehearsal_options=()
rehearsal_arguments=()
rehearsal_driver=0 # its place among the arguments
rehearsal_mode=blocking
while (($# > 0)); do
  case "$1 ${2:-}" in
    '--log-driver awslogs') rehearsal_driver=${#rehearsal_arguments[@]} && shift 2 ;;
    '--log-opt awslogs-'*=*) rehearsal_options[${2%%=*}]="${2#*=}" && shift 2 ;;
    '--log-opt mode='*) rehearsal_mode="${2#*=}" && rehearsal_arguments+=("$1" "$2") && shift 2 ;;
    *) rehearsal_arguments+=("$1") && shift ;;
  esac
done

# The driver's options are those of moby 25, daemon/logger/awslogs/cloudwatchlogs.go, ValidateLogOpt.
for rehearsal_option in "${!rehearsal_options[@]}"; do
  case "${rehearsal_option#awslogs-}" in
    region | group | stream | create-stream) ;;
    create-group | credentials-endpoint | datetime-format | endpoint | force-flush-interval-seconds | format | max-buffered-events | multiline-pattern)
      refuse "the rehearsal does not support the log option $rehearsal_option"
      ;;
    *) refuse "unknown log opt '$rehearsal_option' for awslogs log driver" ;;
  esac
done
[[ -n "${rehearsal_options[awslogs-group]:-}" ]] || refuse 'must specify a value for log opt: awslogs-group'
[[ "${rehearsal_options[awslogs-region]:-}" == "$REHEARSAL_REGION" ]] || refuse "the stack's log group is in $REHEARSAL_REGION: set awslogs-region to that"
# In other modes a container does not start, or does not end, while CloudWatch is away (New and collectBatch there; moby issue
# 53143).
[[ "$rehearsal_mode ${rehearsal_options[awslogs-create-stream]:-}" == 'non-blocking false' ]] ||
  refuse 'the rehearsal supports the driver awslogs only with mode=non-blocking and awslogs-create-stream=false'

exec "$REHEARSAL_DOCKER" "${rehearsal_arguments[@]:0:rehearsal_driver}" --add-host host.docker.internal:host-gateway --log-driver gelf --log-opt "gelf-address=tcp://$REHEARSAL_LOGS" \
  --log-opt "tag=${rehearsal_options[awslogs-group]} ${rehearsal_options[awslogs-stream]:-}" "${rehearsal_arguments[@]:rehearsal_driver}"
