# shellcheck shell=bash
#
# What the stack says about its application, as it was when the release was built. Sourced, not run, after the
# definition of die. The build checks the file with this, too.
#
# Reads: settings.env at the bundle's root, which `pulumi up` writes and the build fetches
#        HEALTH_SECONDS   overrides the file's, for tests

DOMAIN=''              # by which visitors come over HTTPS; none for HTTP at the host's address
ENVIRONMENT=()         # the plain variables, each as NAME=VALUE
declare -A SOURCES=()  # where each secret is, by the name of its variable
RELEASE_COMMAND=()     # the words of the command; none without one
PROCESSES=()           # the names of the workers
PROCESS_WORDS=()       # the words of their commands, each as <process>=<word>
VOLUMES=()             # folders of the data volume, each as <name>=<path in the containers>
SETTINGS_PROBLEMS=()

# shellcheck source=entries.sh
source "${BASH_SOURCE[0]%/*}/entries.sh"

# take_setting KIND NAME VALUE takes one line of the file.
take_setting() {
  case "$1 $2" in
    ' STACK' | ' LOG_GROUP' | ' SECRETS_PATH' | ' STOP_SECONDS' | ' DOMAIN' | ' VOLUME_ID') printf -v "$2" '%s' "$3" ;;
    ' HEALTH_SECONDS') HEALTH_SECONDS="${HEALTH_SECONDS:-$3}" ;;
    ' RELEASE_COMMAND') RELEASE_COMMAND+=("$3") ;;
    'BUILD_ARG '* | 'BUILD_SECRET '*) check_build_setting "$1" "$2" "$3" ;;
    'ENVIRONMENT '*) check_variable "$2" && ENVIRONMENT+=("$2=$3") ;;
    'SECRET '*) add_secret "$2" "$3" ;;
    'PROCESS '*) add_process "$2" "$3" ;;
    'VOLUME '*) add_volume "$2" "$3" ;;
    *) return 1 ;;
  esac
}

# load_settings reads the bundle's settings.
load_settings() {
  local file
  file="${BASH_SOURCE[0]%/*}/../../settings.env"
  [[ -r "$file" ]] || die "settings.env is missing from the bundle: the build writes it"
  read_settings "$file"
}

# read_settings FILE sets STACK, LOG_GROUP, SECRETS_PATH, HEALTH_SECONDS, STOP_SECONDS, VOLUME_ID and the variables
# above. The file is data: no shell runs it.
read_settings() {
  local line
  while IFS= read -r line || [[ "$line" ]]; do
    if [[ "$line" =~ ^(([A-Z_]+)\ )?([^=\ ]+)=(.*)$ ]]; then
      decode "${BASH_REMATCH[4]}"
      take_setting "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}" "$REPLY" && continue
    fi
    misset "unknown line '${line:0:60}'"
  done <"$1"
  [[ "${STACK:-}" =~ ^[A-Za-z0-9._-]+$ ]] || misset "STACK '${STACK:-}': want the stack's name"
  [[ "${LOG_GROUP:-}" =~ ^[A-Za-z0-9._/#-]+$ ]] || misset "LOG_GROUP '${LOG_GROUP:-}': want a log group"
  [[ "${SECRETS_PATH:-}" =~ ^(/[A-Za-z0-9._-]+)+$ ]] || misset "SECRETS_PATH '${SECRETS_PATH:-}': want a path such as /cicd/dev"
  [[ "${HEALTH_SECONDS:-}" =~ ^[1-9][0-9]{0,3}$ ]] || misset "HEALTH_SECONDS '${HEALTH_SECONDS:-}': want seconds"
  [[ "${STOP_SECONDS:-}" =~ ^[1-9][0-9]{0,2}$ ]] || misset "STOP_SECONDS '${STOP_SECONDS:-}': want seconds"
  [[ ${#VOLUMES[@]} == 0 || "${VOLUME_ID:-}" =~ ^vol-[0-9a-f]{8,17}$ ]] || misset "VOLUME_ID '${VOLUME_ID:-}': want the id of an EBS volume"
  [[ "$DOMAIN" =~ ^([a-z0-9-]+(\.[a-z0-9-]+)+)?$ ]] || misset "DOMAIN '$DOMAIN': want a name such as shop.example.com, or nothing"
  ((${#SETTINGS_PROBLEMS[@]} == 0)) || die "bad settings: $(printf '%s; ' "${SETTINGS_PROBLEMS[@]}")"
}
