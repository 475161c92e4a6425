# shellcheck shell=bash
#
# What the build's scripts share: the checked environment, paths, logging, and how to end. Sourced, not run.
#
# Reads: COMMIT_ID, REPOSITORY_URL, CONTAINER_PORT, HEALTH_PATH, HEALTH_HOST, GOARCH, AWS_REGION, CODEBUILD_BUILD_ID
#        CACHE_URL       the repository of the layer cache, "" for none
#        APP_PATH        the application's folder in the repository, "." for its root
#        DOCKERFILE      in that folder
#        BUILD_TARGET    the Dockerfile's stage to build, "" for the last one
#        IMAGE_VARIANT   a hash of what shapes the image beside commit and architecture, "" for none
#        SETTINGS        where the stack's settings are in S3, as bucket/key
#        DEPLOY_SCRIPTS  set if these scripts come from the stack, which is then their place in S3, as bucket/key
#        CODEBUILD_SRC_DIR  the commit, which then is elsewhere than the scripts

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

# from_stack reports whether these scripts come from the stack. Then nothing of the commit may run outside docker build.
from_stack() { [[ -n "${DEPLOY_SCRIPTS:-}" ]]; }

# want NAME PATTERN WHAT adds a problem if a variable does not match.
want() { [[ "${!1:-}" =~ $2 ]] || problems+=("$1 '${!1:-}': want $3"); }

# check_environment stops a build with settings that would only fail later, or on the host. It runs before their first
# use.
check_environment() {
  local problems=()
  want COMMIT_ID '^[0-9a-f]{40}$' '40 hexadecimal digits'
  want REPOSITORY_URL '^[A-Za-z0-9.:-]+/[a-z0-9._/-]+$' registry/name
  want CACHE_URL '^([A-Za-z0-9.:-]+/[a-z0-9._/-]+)?$' 'registry/name, or nothing'
  want CONTAINER_PORT '^[1-9][0-9]{0,4}$' 'a port number'
  want HEALTH_PATH '^/[!-~]*$' 'a path such as /healthz'
  want HEALTH_HOST '^[A-Za-z0-9.:-]+$' "the stack's name or address"
  want GOARCH '^(amd64|arm64)$' 'amd64 or arm64'
  want AWS_REGION '^[a-z0-9-]+$' 'a region such as eu-central-1'
  want CODEBUILD_BUILD_ID '^[A-Za-z0-9._-]+:[A-Za-z0-9._-]+$' project:id
  want APP_PATH '^[^/[:cntrl:]][^[:cntrl:]]*$' 'a folder of the repository, such as webapp, or .'
  want DOCKERFILE '^[^/[:cntrl:]][^[:cntrl:]]*$' 'a file in APP_PATH, such as Dockerfile'
  [[ "/${APP_PATH:-}/${DOCKERFILE:-}/" != */../* ]] || problems+=("APP_PATH or DOCKERFILE has '..': want none")
  want BUILD_TARGET '^([A-Za-z0-9][A-Za-z0-9._-]*)?$' 'a stage of the Dockerfile, or nothing'
  want IMAGE_VARIANT '^([0-9a-f]{8})?$' '8 hexadecimal digits, or nothing'
  want SETTINGS '^[a-z0-9.-]+/.+$' bucket/key
  ! from_stack || want CODEBUILD_SRC_DIR '^/' 'the folder of the commit'
  ((${#problems[@]} == 0)) || die "wrong environment: $(printf '%s; ' "${problems[@]}")"
}

CACHE_URL="${CACHE_URL:-}" # a stack that is older than these scripts has none
check_environment
umask 022 # in the image, any user may have to read what is built

SCRIPTS="$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)"
readonly SCRIPTS
# What the build writes is outside the source until the image is there. Otherwise an image of the repository's root
# would contain it, with a login to ECR.
readonly BUILD="${TMPDIR:-/tmp}/cicd-build.${CODEBUILD_BUILD_ID##*:}"
readonly RELEASE="$BUILD/release.env"
readonly STACK_SETTINGS="$BUILD/settings.env"
readonly NOTES="$BUILD/notes.txt"
# Tags are immutable. The tag includes the architecture, because after a change of the instance type the same commit
# needs another image; and the variant, because so it does then.
readonly TAG="$COMMIT_ID-$GOARCH${IMAGE_VARIANT:+-$IMAGE_VARIANT}"

# shellcheck source=../hooks/lib/ending.sh
source "$SCRIPTS/hooks/lib/ending.sh"

tagged_image() { printf '%s' "$REPOSITORY_URL:$TAG"; }

# login_file prints where the password for ECR is, which lasts 12 hours, longer than CodeBuild lets a build run.
login_file() { printf '%s' "$BUILD/login"; }

# in_registry reports whether the commit's image is in ECR: release.env is written as soon as it is.
in_registry() { [[ -e "$RELEASE" ]]; }

# settings_of KIND puts the stack's settings of a kind into SETTINGS_OF, decoded, as NAME=VALUE. Neither a subshell nor
# a pipe could pass on values with newlines.
settings_of() {
  local line decoded
  SETTINGS_OF=()
  while IFS= read -r line; do
    [[ "$line" == "$1 "* ]] || continue
    printf -v decoded '%b' "${line#"$1 "}"
    SETTINGS_OF+=("$decoded")
  done <"$STACK_SETTINGS"
}
