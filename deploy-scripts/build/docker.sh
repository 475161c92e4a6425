# shellcheck shell=bash
#
# The image as `docker build` makes it, and what people should know of its Dockerfile. Sourced, not run, after
# application.sh.
#
# Reads: BUILD_SECRET_<NAME> for each of the stack's build secrets

# shellcheck source=../hooks/lib/declared.sh
source "$SCRIPTS/hooks/lib/declared.sh"
# shellcheck source=cache.sh
source "$SCRIPTS/build/cache.sh"

# needs_docker_build prints which settings are in force that reach `docker build` alone.
needs_docker_build() {
  [[ "$DOCKERFILE" == Dockerfile ]] || echo dockerfile
  [[ -z "$BUILD_TARGET" ]] || echo buildTarget
  settings_of BUILD_ARG
  ((${#SETTINGS_OF[@]} == 0)) || echo buildArgs
  settings_of BUILD_SECRET
  ((${#SETTINGS_OF[@]} == 0)) || echo buildSecrets
}

# docker_build TAG builds the image. docker takes a secret's value from the environment, and would take a variable that
# is not set for an empty one (moby/buildkit, session/secrets/secretsprovider/store.go). No argument, layer or file has
# the value.
docker_build() {
  local setting name options=(--tag "$1" --file "$APP/$DOCKERFILE")
  [[ -z "$BUILD_TARGET" ]] || options+=(--target "$BUILD_TARGET")
  settings_of BUILD_ARG
  for setting in "${SETTINGS_OF[@]}"; do
    options+=(--build-arg "$setting")
  done
  settings_of BUILD_SECRET
  ((${#SETTINGS_OF[@]} == 0)) || need_buildkit
  for setting in "${SETTINGS_OF[@]}"; do
    name="${setting%%=*}"
    [[ -v "BUILD_SECRET_$name" ]] || die "the build secret $name is not in a variable BUILD_SECRET_$name: run pulumi up"
    options+=(--secret "id=$name,env=BUILD_SECRET_$name")
  done
  build_with_cache "${options[@]}" "$APP"
}

# need_buildkit stops a build with secrets where docker only has its old builder, which knows none. CodeBuild's images
# have BuildKit, with Docker 28.5.2 and buildx 0.32.1 (aws/aws-codebuild-docker-images at commit 1590e48,
# al/x86_64/standard/5.0/Dockerfile and al/aarch64/standard/3.0/Dockerfile).
need_buildkit() {
  local help
  export DOCKER_BUILDKIT=1 # docker then needs its plugin buildx (docker/cli, cmd/docker/builder.go)
  help="$(docker build --help 2>&1)" || true
  [[ "$help" == *--secret* ]] ||
    die "buildSecrets need BuildKit, which docker lacks here: install its plugin buildx (https://docs.docker.com/go/buildx/)"
}

# images_of_dockerfile prints the images that the build pulls, those from Docker Hub alone with -v of=docker-hub.
images_of_dockerfile() {
  settings_of BUILD_ARG
  env "${SETTINGS_OF[@]/#/BUILD_ARG_}" \
    awk "$@" -f "$SCRIPTS/build/dockerfile.awk" -f "$SCRIPTS/build/images.awk" "$APP/$DOCKERFILE" ||
    die "awk cannot read $PLACE$DOCKERFILE"
}

# warn_of_docker_hub notes the images from Docker Hub, which refuses anonymous pulls from addresses that many share,
# such as CodeBuild's (F16).
warn_of_docker_hub() {
  local images image remedy
  images="$(images_of_dockerfile -v of=docker-hub)"
  while IFS=$'\t' read -r image remedy; do
    [[ -z "$image" ]] || note "warning: $image comes from Docker Hub, which may refuse CodeBuild: $remedy (F16)"
  done <<<"$images"
}

# warn_of_volumes IMAGE notes what of the application's data will not last.
warn_of_volumes() {
  local path
  settings_of VOLUME
  while read -r path; do
    note "$(tell_unnamed "$path")"
  done < <(unnamed_volumes "$1" "${SETTINGS_OF[@]#*=}")
}
