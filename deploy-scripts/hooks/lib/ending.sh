# shellcheck shell=bash
#
# How a script ends: with the reason as its last line, and with nothing of its own left on the machine, whatever ends it but
# SIGKILL. Sourced, not run, after what defines terminated.

readonly WORKS="${TMPDIR:-/tmp}/cicd-work" # what the name of every work folder begins with, before a process id
readonly WORK="$WORKS.$$.$RANDOM$RANDOM" # for files that end with the script, such as a login to ECR

AT_END='' # the function that undoes what the script has begun, if it has one

# end runs when the script ends. Nothing may cut it short: no command that fails, no function that calls die, no further
# SIGTERM, and no reader who has gone (at a hook's timeout the agent closes its ends of the pipes: hook_executor.rb).
end() {
  trap '' TERM PIPE
  trap - EXIT
  set +e
  local process
  for process in $(jobs -p); do
    while kill "$process" 2>/dev/null; do # and again: bash loses a signal that comes before a new process has become the command
      sleep 0.1
    done
  done
  [[ -z "$AT_END" ]] || ("$AT_END")
  rm -rf "$WORK"
}

# sweep removes the work folders of scripts that SIGKILL or a power cut ended. The next one is the first that can.
sweep() {
  local folder process
  for folder in "$WORKS".*; do
    process="${folder#"$WORKS".}"
    [[ -e "/proc/${process%%.*}" ]] || rm -rf "$folder" 2>/dev/null || true # it may be another user's
  done
}

exec {STDERR}>&2 # the script's own, wherever that of the function goes in which SIGTERM meets it
trap end EXIT
# It calls end itself: a signal that comes when the script is just ending runs this within the trap above, and exit ends both.
trap 'terminated 2>&"$STDERR"; end; exit 1' TERM
trap : PIPE # bash tells of a command that SIGTERM has ended, and would end on the spot if nobody reads that

mkdir -m 700 "$WORK" # not by mktemp, whose folder would have a name only after SIGTERM could have come
