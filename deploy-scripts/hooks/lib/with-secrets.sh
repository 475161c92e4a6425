#!/bin/bash
#
# Runs a command with the variables that standard input holds, each as NAME=VALUE and NUL. So a secret is in no list of
# arguments, which every user of a machine can read, and may have newlines, which Docker's --env-file cannot. This is a
# bash of its own because the hooks have variables themselves, of which some are read-only, and a secret may have any
# name.

set -euo pipefail

# take_variables exports the variables. Its own is out of their way: they are global.
take_variables() {
  local variable
  while IFS= read -r -d '' variable; do
    declare -gx "$variable"
  done
}

take_variables
exec "$@" </dev/null
