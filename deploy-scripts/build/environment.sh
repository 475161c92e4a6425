# shellcheck shell=bash
#
# What the build's scripts share: the checked environment, the places, how to speak and how to end. Sourced, not run.
#
# Reads: COMMIT_ID, REPOSITORY_URL, CONTAINER_PORT, HEALTH_PATH, GOARCH, AWS_REGION

log() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
  log "$*"
  exit 1
}

# terminated says why the script got SIGTERM.
terminated() { log "SIGTERM: somebody stopped the build, or its timeout is over"; }

# check_environment stops a build whose settings would only fail later, or on the host. Nothing is used before.
check_environment() {
  local problems=()
  [[ "${COMMIT_ID:-}" =~ ^[0-9a-f]{40}$ ]] || problems+=("COMMIT_ID '${COMMIT_ID:-}': want 40 hexadecimal digits")
  [[ "${REPOSITORY_URL:-}" =~ ^[A-Za-z0-9.:-]+/[a-z0-9._/-]+$ ]] || problems+=("REPOSITORY_URL '${REPOSITORY_URL:-}': want registry/name")
  [[ "${CONTAINER_PORT:-}" =~ ^[1-9][0-9]{0,4}$ ]] || problems+=("CONTAINER_PORT '${CONTAINER_PORT:-}': want a port number")
  [[ "${HEALTH_PATH:-}" =~ ^/[!-~]*$ ]] || problems+=("HEALTH_PATH '${HEALTH_PATH:-}': want a path such as /healthz")
  [[ "${GOARCH:-}" =~ ^(amd64|arm64)$ ]] || problems+=("GOARCH '${GOARCH:-}': want amd64 or arm64")
  [[ "${AWS_REGION:-}" =~ ^[a-z0-9-]+$ ]] || problems+=("AWS_REGION '${AWS_REGION:-}': want a region such as eu-central-1")
  ((${#problems[@]} == 0)) || die "wrong environment: $(printf '%s; ' "${problems[@]}")"
}

check_environment
umask 022 # what is built is read in the image by a user who may be any

SCRIPTS="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly SCRIPTS
readonly RELEASE="$SCRIPTS/release.env"
# Tags are immutable. The architecture is a part of the tag, for after a change of the instance type an image of the same commit is
# another one.
readonly TAG="$COMMIT_ID-$GOARCH"

# shellcheck source=../hooks/lib/ending.sh
source "$SCRIPTS/hooks/lib/ending.sh"

tagged_image() { printf '%s' "$REPOSITORY_URL:$TAG"; }

# in_registry tells whether the commit's image is in ECR: release.env is written as soon as it is.
in_registry() { [[ -e "$RELEASE" ]]; }
