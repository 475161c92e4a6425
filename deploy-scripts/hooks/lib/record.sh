# shellcheck shell=bash
#
# The record of the versions that the running release has of the stack's own parameters, for `cicd secrets list`.
# Sourced, not run, after answers.sh and ending.sh.
#
# Reads: SOURCES, SECRETS_PATH (lib/settings.sh); COMMIT, AWS_REGION (lib/release.sh)

readonly RECORD_SECONDS=15

RECORD='' # the running process that writes it

# begin_record begins to write the record, if the stack has parameters of its own.
begin_record() {
  local variable versions=''
  ((${#SOURCES[@]} > 0)) || return 0
  while read -r variable; do
    [[ "${SOURCES["$variable"]}" != /* ]] || versions+="${versions:+,}\"$variable\":$(version_of "${SOURCES["$variable"]}")"
  done < <(printf '%s\n' "${!SOURCES[@]}" | sort)
  [[ -n "$versions" ]] || return 0
  timeout --foreground "$RECORD_SECONDS" aws ssm put-parameter --region "$AWS_REGION" --name "$SECRETS_PATH/running-release" \
    --type String --overwrite --value "{\"commit\":\"$COMMIT\",\"secrets\":{$versions}}" >/dev/null 2>"$WORK/record" &
  RECORD=$!
}

# end_record waits for it. Without the record, everything runs all the same.
end_record() {
  [[ -z "$RECORD" ]] || wait "$RECORD" ||
    log "warning: it is not recorded which versions of the secrets commit $COMMIT has, so \`cicd secrets list\` does not know: $(tr -s '\n' ' ' <"$WORK/record")"
}
