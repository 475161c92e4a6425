# shellcheck shell=bash
#
# How a script ends: with the reason as its last line, and without leaving anything of its own on the machine, whatever ends
# it except SIGKILL. Sourced, not run, after the definition of terminated.

readonly WORKS="${TMPDIR:-/tmp}/cicd-work" # the prefix of every work folder; a process id follows
readonly WORK="$WORKS.$$.$RANDOM$RANDOM" # for files that the script removes at its end, such as a login to ECR

AT_END='' # the function that undoes what the script began, if any

# end runs when the script ends. Nothing may cut it short: no failing command, no function that calls die, no second SIGTERM,
# and no closed pipe (at a hook's timeout the agent closes its ends of the pipes: hook_executor.rb).
end() {
  trap '' TERM PIPE
  trap - EXIT
  set +e
  local process
  for process in $(jobs -p); do
    while kill "$process" 2>/dev/null; do # repeated: bash loses a signal to a new process that has not become the command yet
      sleep 0.1
    done
  done
  [[ -z "$AT_END" ]] || ("$AT_END")
  rm -rf "$WORK"
}

# sweep removes the work folders of scripts that SIGKILL or a power cut ended. Only a later script can.
sweep() {
  local folder process
  for folder in "$WORKS".*; do
    process="${folder#"$WORKS".}"
    [[ -e "/proc/${process%%.*}" ]] || rm -rf "$folder" 2>/dev/null || true # it may be another user's
  done
}

exec {STDERR}>&2 # the script's own: SIGTERM may arrive in a function whose stderr is redirected
trap end EXIT
# It calls end itself: a signal while the script is already ending runs this within the EXIT trap, and exit ends both.
trap 'terminated 2>&"$STDERR"; end; exit 1' TERM
trap : PIPE # bash reports a command that SIGTERM ended, and would itself die if nobody reads that

mkdir -m 700 "$WORK" # not mktemp: SIGTERM could arrive before the script knew the folder's name
