# shellcheck shell=bash
#
# The calls of Parameter Store and Secrets Manager. What they answer goes through pipes into this process: no file and
# no list of arguments has it. Sourced, not run, after release.sh, ending.sh and answers.sh.
#
# Reads: SOURCES (lib/settings.sh); AWS_REGION (lib/release.sh)

readonly SECRETS_SECONDS=60     # for all calls and tries together
readonly SECRETS_TRIES=3        # of a call: AWS may be busy, or not know a new permission yet
readonly SECRETS_PAUSE=2        # between two tries, in seconds
readonly SECRETS_AT_ONCE=4      # calls: each is a process of the AWS CLI, of half a second and 60 MiB
readonly PARAMETERS_PER_CALL=10 # AWS's limit (API reference of GetParameters, "Names")

SEPARATOR="$(tr -d '\n-' </proc/sys/kernel/random/uuid)" # so that no value contains it
readonly SEPARATOR

# plan prints the calls that get the values of all secrets, one a line. The stack's own parameters do not share a call
# with others, which may be refused.
plan() {
  local source own=() foreign=()
  while read -r source; do
    case "$source" in
      /*) own+=("$source") ;;
      arn:*:ssm:*) foreign+=("$source") ;;
      *) echo "get_secret $source" ;;
    esac
  done < <(printf '%s\n' "${SOURCES[@]%%'#'*}" | sort -u)
  plan_parameters "${own[@]}"
  plan_parameters "${foreign[@]}"
}

plan_parameters() {
  while (($# > 0)); do
    echo "get_parameters ${*:1:PARAMETERS_PER_CALL}"
    shift "$(($# < PARAMETERS_PER_CALL ? $# : PARAMETERS_PER_CALL))"
  done
}

# call ARGUMENT... runs the AWS CLI. PYTHONUTF8 makes its output UTF-8 under any locale (PEP 540; aws-cli 2,
# awscli/compat.py).
call() {
  local left=$((SECRETS_SECONDS - SECONDS))
  PYTHONUTF8=1 timeout --foreground "$((left > 1 ? left : 1))" "$@"
}

# The two calls print values as they are: the text output of a string is the string and a newline (aws-cli,
# awscli/text.py).

# get_parameters NAME... prints name, ARN, version and value of each parameter that exists, separated by $SEPARATOR.
get_parameters() {
  call aws ssm get-parameters --region "$AWS_REGION" --with-decryption --output text \
    --query "join('$SEPARATOR', Parameters[].[Name, ARN, to_string(Version), Value][])" --names "$@"
}

# get_secret ARN prints the secret's text, or $SEPARATOR if it is binary.
get_secret() {
  call aws secretsmanager get-secret-value --region "$AWS_REGION" --output text \
    --query "not_null(SecretString, '$SEPARATOR')" --secret-id "$1"
}

# ask CALL... prints for each try of a call what it prints, or why it failed, then NUL, $SEPARATOR, its exit code, and
# NUL.
ask() {
  local try status refusal="$WORK/refusal.$BASHPID"
  for ((try = 1; try <= SECRETS_TRIES && SECONDS < SECRETS_SECONDS; try++)); do
    ((try == 1)) || sleep "$SECRETS_PAUSE"
    status=0
    "$@" 2>"$refusal" || status=$?
    ((status == 0)) || tr -s '\n' ' ' <"$refusal"
    printf '\0%s%d\0' "$SEPARATOR" "$status"
    ((status != 0)) || return 0
    [[ "$(<"$refusal")" != *'('@(ResourceNotFound|InvalidRequest)'Exception)'* ]] || return 0
  done
}

# fetch CALL... makes calls, each a function and its names, some of them at the same time.
fetch() {
  local words fd fds i
  while (($# > 0)); do
    fds=()
    for ((i = 1; i <= $# && i <= SECRETS_AT_ONCE; i++)); do
      read -ra words <<<"${!i}"
      exec {fd}< <(ask "${words[@]}")
      fds+=("$fd")
    done
    for fd in "${fds[@]}"; do
      read -ra words <<<"$1"
      take "$fd" "${words[@]}"
      exec {fd}<&-
      shift
    done
  done
}
