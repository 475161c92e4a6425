# shellcheck shell=bash
#
# A field of a JSON object, without a program that the host may lack. Sourced, not run.

# json_field TEXT KEY sets FIELD to the value of a key of the JSON object, or to what is wrong, and then fails. The dot
# that awk adds keeps newlines at its end.
json_field() {
  local folder status=0
  folder="${BASH_SOURCE[0]%/*}"
  FIELD="$(printf '%s' "$1" | KEY="$2" LC_ALL=C awk -f "$folder/json-string.awk" -f "$folder/json-field.awk")" || status=$?
  case "$status" in
    0) FIELD="${FIELD%.}" ;;
    10) FIELD="it is not a JSON object, so it has no key $2" ;;
    11) FIELD="its JSON object has no key $2" ;;
    12) FIELD="the value of its key $2 is an object, a list or null: want a string, a number or a boolean" ;;
    13) FIELD="the value of its key $2 holds a NUL, which no variable can" ;;
    *) FIELD="awk ended with exit code $status, see above" ;;
  esac
  return "$status"
}
