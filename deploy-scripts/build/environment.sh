# shellcheck shell=bash
#
# What the build's scripts share: the checked environment, paths, logging, and how to end. Sourced, not run.
#
# Reads: COMMIT_ID, REPOSITORY_URL, CONTAINER_PORT, HEALTH_PATH, HEALTH_HOST, GOARCH, AWS_REGION

log() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# note logs what a person should know of a build that succeeds, and adds it to NOTES, which the buildspec exports.
note() {
  log "$*"
  printf '%s; ' "$*" >>"$NOTES"
}

die() {
  log "$*"
  exit 1
}

# terminated logs why the script got SIGTERM.
terminated() { log "SIGTERM: somebody stopped the build, or it reached its timeout"; }

# check_environment stops a build with settings that would only fail later, or on the host. It runs before their first use.
check_environment() {
  local problems=()
  [[ "${COMMIT_ID:-}" =~ ^[0-9a-f]{40}$ ]] || problems+=("COMMIT_ID '${COMMIT_ID:-}': want 40 hexadecimal digits")
  [[ "${REPOSITORY_URL:-}" =~ ^[A-Za-z0-9.:-]+/[a-z0-9._/-]+$ ]] || problems+=("REPOSITORY_URL '${REPOSITORY_URL:-}': want registry/name")
  [[ "${CONTAINER_PORT:-}" =~ ^[1-9][0-9]{0,4}$ ]] || problems+=("CONTAINER_PORT '${CONTAINER_PORT:-}': want a port number")
  [[ "${HEALTH_PATH:-}" =~ ^/[!-~]*$ ]] || problems+=("HEALTH_PATH '${HEALTH_PATH:-}': want a path such as /healthz")
  [[ "${HEALTH_HOST:-}" =~ ^[A-Za-z0-9.:-]+$ ]] || problems+=("HEALTH_HOST '${HEALTH_HOST:-}': want the stack's name or address")
  [[ "${GOARCH:-}" =~ ^(amd64|arm64)$ ]] || problems+=("GOARCH '${GOARCH:-}': want amd64 or arm64")
  [[ "${AWS_REGION:-}" =~ ^[a-z0-9-]+$ ]] || problems+=("AWS_REGION '${AWS_REGION:-}': want a region such as eu-central-1")
  ((${#problems[@]} == 0)) || die "wrong environment: $(printf '%s; ' "${problems[@]}")"
}

check_environment
umask 022 # in the image, any user may have to read what is built

SCRIPTS="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly SCRIPTS
readonly RELEASE="$SCRIPTS/release.env"
readonly NOTES="$SCRIPTS/notes.txt"
# Tags are immutable. The tag includes the architecture, because after a change of the instance type the same commit needs
# another image.
readonly TAG="$COMMIT_ID-$GOARCH"

# shellcheck source=../hooks/lib/ending.sh
source "$SCRIPTS/hooks/lib/ending.sh"

tagged_image() { printf '%s' "$REPOSITORY_URL:$TAG"; }

# in_registry reports whether the commit's image is in ECR: release.env is written as soon as it is.
in_registry() { [[ -e "$RELEASE" ]]; }
