#!/bin/sh
#
# A command that this machine has and the build's image lacks. It runs only if the build itself has installed it.
#
# Reads: NAME, the command; IMAGE; BEGAN, a file as old as the build. They are set before this text.

own="$(cd -- "${0%/*}" && pwd)"
IFS=:
for folder in $PATH; do
  found="$folder/$NAME"
  if [ "$folder" != "$own" ] && [ -x "$found" ] && [ -n "$(find -L "$found" -prune -cnewer "$BEGAN")" ]; then
    exec "$found" "$@"
  fi
done
printf '%s\n' "$NAME: command not found" \
  "Rehearsal: this machine has $NAME, but CodeBuild's image $IMAGE does not: install it in phases.install of the buildspec" >&2
exit 127
