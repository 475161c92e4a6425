# shellcheck shell=bash
#
# The application: where it is, and what its Makefile offers, if it has one: `make test`, and `make image IMAGE=...`.
# With scripts from the stack, a Makefile offers nothing. Sourced, not run, after environment.sh.

APP="${SCRIPTS%/*}/$APP_PATH"
! from_stack || APP="$CODEBUILD_SRC_DIR/$APP_PATH"
readonly APP
PLACE="$APP_PATH/" # before the name of one of its files, for people
[[ "$APP_PATH" != . ]] || PLACE=''
readonly PLACE

# has_target reports whether there is a Makefile with a rule for a target. A phony target without prerequisites and
# recipe has none: make does nothing for it, and succeeds. An unreadable Makefile is an error: taken for "no rule", it
# would skip the tests. With scripts from the stack, make must not even read it: that can run commands.
has_target() {
  [[ -e "$APP/Makefile" ]] && ! from_stack || return 1
  local rules status=0
  rules="$(LC_ALL=C make -C "$APP" --eval='cicd-probe:;' --print-data-base --question cicd-probe)" || status=$?
  ((status < 2)) || die "make cannot read ${PLACE}Makefile"
  awk -v RS= -v target="$1" '
    /\n#  Phony target/ && $0 ~ "(^|\n)" target ":\n" && !/\n#  (recipe|commands) to execute/ { next }
    $0 ~ "(^|\n)" target " *::?( |\n|$)" { found = 1 }
    END { exit !found }' <<<"$rules"
}

# begin_tests starts the application's tests, if there are any, and sets TESTS to their process.
begin_tests() {
  TESTS=''
  if has_target test; then
    make -C "$APP" test &
    TESTS=$!
  elif from_stack; then
    [[ ! -e "$APP/Makefile" ]] ||
      note "${PLACE}Makefile is not used, because of deployScripts: test the application in its Dockerfile"
  else
    note "${PLACE:-the repository} has no Makefile with a target 'test': nothing is tested"
  fi
}

stop_tests() {
  [[ -n "$TESTS" ]] || return 0
  kill "$TESTS" 2>/dev/null || true # may have ended
  wait "$TESTS" || true
}
