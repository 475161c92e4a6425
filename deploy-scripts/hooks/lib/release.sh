# shellcheck shell=bash
#
# What the hooks share: this release, the host's name prefix, and logging. Sourced, not run.
#
# Reads: release.env at the bundle's root, written by the build
#        APP_NAME   prefix of the name of every Docker object of this host (default webapp)

readonly APP_NAME="${APP_NAME:-webapp}"

log() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
  log "$*"
  exit 1
}

# terminated logs why the hook got SIGTERM.
terminated() { log "SIGTERM: the timeout of this hook in appspec.yml has passed"; }

# load_release sets IMAGE, COMMIT, BUILD_ID, REGISTRY, AWS_REGION, CONTAINER_PORT, HEALTH_PATH and HEALTH_HOST. The file
# is data: no shell runs it.
load_release() {
  local file line problems=()
  file="${BASH_SOURCE[0]%/*}/../../release.env"
  [[ -r "$file" ]] || die "release.env is missing from the bundle: the build writes it"
  while read -r line; do
    case "${line%%=*}" in
      IMAGE | COMMIT | BUILD_ID | REGISTRY | AWS_REGION | CONTAINER_PORT | HEALTH_PATH | HEALTH_HOST) printf -v "${line%%=*}" '%s' "${line#*=}" ;;
      *) problems+=("unknown line '$line'") ;;
    esac
  done <"$file"
  [[ "${IMAGE:-}" =~ ^[^@[:space:]]+@sha256:[0-9a-f]{64}$ ]] || problems+=("IMAGE '${IMAGE:-}': want repository@sha256:digest")
  [[ "${COMMIT:-}" =~ ^[0-9a-f]{40}$ ]] || problems+=("COMMIT '${COMMIT:-}': want 40 hexadecimal digits")
  [[ "${BUILD_ID:-}" =~ ^[A-Za-z0-9:._/-]+$ ]] || problems+=("BUILD_ID '${BUILD_ID:-}': want CodeBuild's id of the build")
  [[ "${REGISTRY:-}" == "${IMAGE%%/*}" ]] || problems+=("REGISTRY '${REGISTRY:-}': want that of IMAGE")
  [[ "${AWS_REGION:-}" =~ ^[a-z0-9-]+$ ]] || problems+=("AWS_REGION '${AWS_REGION:-}': want a region")
  [[ "${CONTAINER_PORT:-}" =~ ^[1-9][0-9]{0,4}$ ]] || problems+=("CONTAINER_PORT '${CONTAINER_PORT:-}': want a port number")
  [[ "${HEALTH_PATH:-}" =~ ^/[!-~]*$ ]] || problems+=("HEALTH_PATH '${HEALTH_PATH:-}': want a path")
  [[ "${HEALTH_HOST:-}" =~ ^[A-Za-z0-9.:-]+$ ]] || problems+=("HEALTH_HOST '${HEALTH_HOST:-}': want a name or an address")
  [[ "$APP_NAME" =~ ^[a-z0-9][a-z0-9-]{0,50}$ ]] || problems+=("APP_NAME '$APP_NAME': want at most 51 of a-z, 0-9 and -")
  ((${#problems[@]} == 0)) || die "bad release: $(printf '%s; ' "${problems[@]}")"
}
