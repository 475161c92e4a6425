# shellcheck shell=bash
#
# The entries of the stack's settings, one by one: how their values are written, and what they may be. Sourced, not run,
# by settings.sh.

# Names that a secret cannot have: bash or the docker command would take them for their own, see with-secrets.sh.
readonly RESERVED='^(_|BASH.*|COMP_.*|DIRSTACK|ENV|EPOCH.*|EUID|FUNCNAME|GROUPS|HIST.*|HOME|IFS|LANG|LC_.*|LD_.*|LINENO|OLDPWD|OPTERR|OPTIND|PATH|PIPESTATUS|POSIXLY_CORRECT|PPID|PWD|RANDOM|SECONDS|SHELLOPTS|SHLVL|SRANDOM|UID|DOCKER_(API_VERSION|CERT_PATH|CONFIG|CONTEXT|CUSTOM_HEADERS|DEFAULT_PLATFORM|HOST|TLS|TLS_VERIFY))$'

misset() { SETTINGS_PROBLEMS+=("$*"); }

# decode sets REPLY to a value as it was before it was written into one line.
decode() {
  local rest="${1//\\[\\nr]/}"
  [[ "$rest" != *[\\$'\r']* ]] || misset "'${1:0:60}': want \\\\, \\n and \\r as the only escapes"
  printf -v REPLY '%b.' "$1"
  REPLY="${REPLY%.}"
}

# check_variable checks the name of a variable, of which the file may have one.
check_variable() {
  [[ "$1" =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || misset "'$1': want a variable's name of A-Z, a-z, 0-9 and _"
  [[ "$1" != PORT && "$1" != RELEASE_* ]] || misset "$1: hooks set this variable themselves"
  [[ " ${!SOURCES[*]} ${ENVIRONMENT[*]%%=*} " != *" $1 "* ]] || misset "$1: there are two of this variable"
}

# check_build_setting checks what only the build uses. The value of a secret is in no file.
check_build_setting() {
  [[ "$2" =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || misset "$1 '$2': want a name of A-Z, a-z, 0-9 and _"
  [[ "$1" != BUILD_SECRET || -z "$3" ]] || misset "$1 $2: want no value here"
}

add_secret() {
  check_variable "$1"
  [[ ! "$1" =~ $RESERVED ]] || misset "$1: the secret needs another name, bash and docker use this one"
  [[ "$2" =~ ^(/|arn:[a-z-]+:(ssm|secretsmanager):)[^[:space:]]+$ ]] || misset "secret $1 '$2': want a parameter or an ARN"
  [[ -z "$1" ]] || SOURCES["$1"]="$2"
}

add_process() {
  [[ "$1" =~ ^[a-z][a-z0-9-]{0,40}$ && "$1" != web && "$1" != release-command ]] ||
    misset "process '$1': want a-z, 0-9 and -, and neither web nor release-command"
  [[ " ${PROCESSES[*]} " == *" $1 "* ]] || PROCESSES+=("$1")
  PROCESS_WORDS+=("$1=$2")
}

# add_volume NAME PATH adds a folder of the data volume, and where containers see it.
add_volume() {
  [[ "$1" =~ ^[a-z][a-z0-9-]{0,29}$ ]] || misset "volume '$1': want a-z, 0-9 and -"
  [[ "$2" =~ ^(/[A-Za-z0-9._@+-]+)+$ ]] || misset "volume $1 '$2': want an absolute path"
  VOLUMES+=("$1=$2")
}
