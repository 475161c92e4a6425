# shellcheck shell=bash
#
# The values of this release's secrets. Sourced, not run, after settings.sh, answers.sh, fetch.sh and json.sh.
#
# Reads: SOURCES, STACK (lib/settings.sh)

declare -A VALUES=()     # by variable
declare -A COMPLAINTS=() # variables, separated by ", ", by why their values cannot be read
UNSET=()                 # variables whose own parameter has no value

# fetch_secrets sets VALUES, or ends the hook with everything that is wrong.
fetch_secrets() {
  local planned=() variable reason problems=()
  ((${#SOURCES[@]} > 0)) || return 0
  mapfile -t planned < <(plan)
  fetch "${planned[@]}"
  while read -r variable; do
    resolve "$variable"
  done < <(printf '%s\n' "${!SOURCES[@]}" | sort)
  ((${#UNSET[@]} == 0)) || problems+=("$(tell_unset)")
  for reason in "${!COMPLAINTS[@]}"; do
    problems+=("cannot read $(secrets "${COMPLAINTS["$reason"]}"): $reason")
  done
  ((${#problems[@]} == 0)) || die "$(printf '%s; ' "${problems[@]}")nothing has been changed"
}

# resolve VARIABLE sets the variable's value, or complains.
resolve() {
  local source="${SOURCES["$1"]}" ANSWER FIELD
  local name="${source%%'#'*}"
  if ! answer_for "$name" && [[ -z "$ANSWER" && "$name" == /* ]]; then
    UNSET+=("$1")
  elif ! answer_for "$name"; then
    complain "$1" "${ANSWER:-"$name does not exist"}"
  elif [[ "$source" != *'#'* ]]; then
    VALUES["$1"]="$ANSWER"
  elif json_field "$ANSWER" "${source#*'#'}"; then
    VALUES["$1"]="$FIELD"
  else
    complain "$1" "$name: $FIELD"
  fi
}

complain() { COMPLAINTS["$2"]+="${COMPLAINTS["$2"]:+, }$1"; }

# secrets NAMES prints "the secret A", or "the secrets A, B".
secrets() {
  local plural="${1//[^,]/}"
  printf 'the secret%s %s' "${plural:+s}" "$1"
}

# tell_unset prints which own parameters have no value, and the commands that set them.
tell_unset() {
  local names has=has commands
  printf -v names '%s, ' "${UNSET[@]}"
  ((${#UNSET[@]} == 1)) || has=have
  printf -v commands "\`cicd secrets set %s --stack $STACK\`, " "${UNSET[@]}"
  printf '%s %s no value: %sthen release again' "$(secrets "${names%, }")" "$has" "$commands"
}

# secret_variables prints each secret as NAME=VALUE and NUL, for with-secrets.sh.
secret_variables() {
  local variable
  for variable in "${!VALUES[@]}"; do
    printf '%s=%s\0' "$variable" "${VALUES["$variable"]}"
  done
}
