#!/bin/sh
#
# The go command of a build: this machine's, after rejecting what the Go in the build's image would reject. What a version
# does with a go.mod that requires a newer one:
#
#   before 1.21   compiles what it can, then says "module requires Go 1.N"; it cannot parse "go 1.N.P" and "toolchain"
#                 (golang.org/x/mod/modfile, GoVersionRE at that time)
#   since 1.21    fetches the newer one, unless GOTOOLCHAIN=local (https://go.dev/doc/toolchain; that "go 1.24" stands for
#                 go1.24.0 was tried with 1.21.13, 1.22.12 and 1.23.12)
#
# Reads: IMAGE_GO, the version in the image; REAL_GO, this machine's command; GO_USED, a file that says that a build used Go.
# They are set before this text.

: >"$GO_USED"

# find_up FILE prints the path of the nearest FILE in go's working folder or above.
find_up() {
  folder="$(cd -- "$work" 2>/dev/null && pwd)" || return
  while [ "$folder" != / ] && [ ! -e "$folder/$1" ]; do folder="${folder%/*}" && folder="${folder:-/}"; done
  [ ! -e "$folder/$1" ] || printf '%s\n' "$folder/$1"
}

# newer A B tells whether version A is newer than B.
newer() { [ "$1" != "$2" ] && [ "$(printf '%s\n' "$1" "$2" | sort -V | tail -n 1)" = "$1" ]; }

# refuse prints what go would, and ends.
refuse() {
  printf '%s\n' "$@" >&2
  exit 1
}

# check_file FILE refuses a go.mod or go.work that the image's Go cannot do with.
check_file() {
  go='' toolchain=''
  while read -r word value _; do
    case $word in
      go) go="$value" ;;
      toolchain) toolchain="${value#go}" ;;
    esac
  done <"$1"
  if newer 1.21 "$IMAGE_GO"; then
    case $go in *.*.*) refuse "go: errors parsing $1: invalid go version '$go': must match format 1.23" ;; esac
    [ -z "$toolchain" ] || refuse "go: errors parsing $1: unknown directive: toolchain"
    ! newer "$go" "$IMAGE_GO" || refuse "note: module requires Go $go" \
      "Rehearsal: in AWS, Go $IMAGE_GO compiles it as far as it can; here a module that wants a newer one is refused"
    return
  fi
  [ "$GOTOOLCHAIN" != local ] || ! newer "$go" "$IMAGE_GO" ||
    refuse "go: $1 requires go >= $go (running go $IMAGE_GO; GOTOOLCHAIN=local)"
}

work=.
case $2 in
  -C) work="$3" ;;
  -C=*) work="${2#-C=}" ;;
esac
case $1 in
  version | env | fmt | help) ;;
  *)
    for file in go.mod go.work; do
      found="$(find_up "$file")"
      [ -z "$found" ] || check_file "$found"
    done
    ;;
esac
exec "$REAL_GO" "$@"
