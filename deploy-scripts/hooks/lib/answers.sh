# shellcheck shell=bash
#
# What Parameter Store and Secrets Manager have answered: see fetch.sh. Sourced, not run.

declare -A ANSWERS=()  # values of parameters, by name and by ARN, and texts of secrets, by ARN
declare -A VERSIONS=() # of parameters, by name and by ARN
declare -A REFUSALS=() # why there is no answer, by name or ARN; none for what does not exist

# answer_for NAME sets ANSWER to a value. If there is none, it fails; ANSWER says why, and is empty if nothing has the
# name.
answer_for() {
  ANSWER="${REFUSALS["$1"]:-}"
  [[ -z "$ANSWER" && -n "${ANSWERS["$1"]+had}" ]] || return 1
  ANSWER="${ANSWERS["$1"]}"
}

version_of() { printf '%s' "${VERSIONS["$1"]}"; }

# take FD CALL NAME... reads what ask has printed for a call. The last try counts.
take() {
  local call="$2" tries=() i status=124 answer='' name
  local LC_ALL=C # values are bytes here
  mapfile -d '' -t -u "$1" tries
  shift 2
  for ((i = 1; i < ${#tries[@]}; i += 2)); do
    answer="${tries[i - 1]%$'\n'}"
    [[ "${tries[i]}" == "$SEPARATOR"* ]] || status=NUL
    [[ "$status" == NUL ]] || status="${tries[i]#"$SEPARATOR"}"
  done
  case "$status $call" in
    '0 get_parameters') take_parameters "$answer" ;;
    '0 get_secret') [[ "$answer" == "$SEPARATOR" ]] && refuse 'it is binary, want text' "$1" || ANSWERS["$1"]="$answer" ;;
    NUL*) refuse 'the value holds a NUL, which no variable can' "$@" ;;
    124*) refuse "AWS did not answer within $SECRETS_SECONDS s" "$@" ;;
    *) [[ "$answer" == *'(ResourceNotFoundException)'* ]] || refuse "${answer# }" "$@" ;;
  esac
}

refuse() {
  local name
  for name in "${@:2}"; do
    REFUSALS["$name"]="$1"
  done
}

# take_parameters reads what get_parameters has printed.
take_parameters() {
  local rest="$1" field fields=()
  while [[ "$rest" ]]; do
    field="${rest%%"$SEPARATOR"*}"
    fields+=("$field")
    rest="${rest:${#field}+${#SEPARATOR}}"
  done
  for ((field = 0; field < ${#fields[@]}; field += 4)); do
    for name in "${fields[@]:field:2}"; do
      VERSIONS["$name"]="${fields[field + 2]}"
      ANSWERS["$name"]="${fields[field + 3]}"
    done
  done
}
