# shellcheck shell=bash
#
# The layer cache: what `docker build` made of a Dockerfile's steps is kept in ECR, because most builds get a fresh machine.
# Without it a build takes longer, and that is all: so what stands in its way is told, and fails nothing. Sourced, not run,
# after application.sh.
#
# Docker's own builder exports the layers of the last stage alone (docs.docker.com/build/cache/backends/inline). So the
# builder is buildx's driver docker-container. Its image is on Docker Hub only, which may refuse CodeBuild (F16): the first
# build that gets it copies it to the cache's repository.
#
# Reads: DOCKER_AUTH_CONFIG, if it is set

# The version that was new when CodeBuild's buildx was, 0.32.1 (see docker.sh).
readonly BUILDKIT=v0.28.0
readonly BUILDER="cicd-${CODEBUILD_BUILD_ID##*:}"

# build_with_cache ARGUMENT... runs docker build, with the cache if there can be one. The AWS Containers Blog, "Announcing
# remote cache support in Amazon ECR for BuildKit clients": without image-manifest, ECR refuses the cache. One that cannot be
# read is a warning of BuildKit's. buildx could load the image by itself, but not into every Docker that can load one.
build_with_cache() {
  local reference="$CACHE_URL:$GOARCH"
  if begin_cache; then
    docker buildx build --builder "$BUILDER" --cache-from "type=registry,ref=$reference" \
      --cache-to "type=registry,ref=$reference,mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true" \
      --output type=docker,dest=- "$@" | docker load --quiet 2>"$WORK/load" || {
      ((PIPESTATUS[0] != 0)) || cat "$WORK/load" >&2 # what it says of an image that was not built helps nobody
      return 1
    }
  else
    docker build "$@"
  fi
}

# begin_cache starts the builder, or tells why there is no cache.
begin_cache() {
  local obstacle
  [[ "$CACHE_URL" ]] || return 1
  obstacle="$(obstacle)" || return 1
  if [[ "$obstacle" ]]; then
    log "no layer cache: ${obstacle//$'\n'/; }"
    return 1
  fi
  log_in_buildx
  if ! make_builder >"$WORK/builder" 2>&1; then
    note "warning: no layer cache, so this build may take longer: $(tail -n 1 "$WORK/builder")"
    return 1
  fi
}

# obstacle prints why this machine or this application can have no cache.
obstacle() {
  local images image
  docker buildx version >/dev/null 2>&1 || echo 'docker has no plugin buildx here'
  [[ -z "${DOCKER_AUTH_CONFIG:-}" ]] || echo 'it needs DOCKER_AUTH_CONFIG, which this build has set'
  images="$(images_of_dockerfile)" || return
  for image in $images; do
    ! only_here "$image" || echo "its builder would not find the image $image, which was made on this machine"
  done
}

# only_here reports whether an image was made on this machine: it has come from no registry, and is in none. The cache's
# builder is another one than Docker's, and pulls every image.
only_here() {
  local digests
  digests="$(docker image inspect --format '{{len .RepoDigests}}' "$1" 2>/dev/null)" && [[ "$digests" == 0 ]]
}

# log_in_buildx lets buildx log in to ECR, beside the logins that the build's user has. It does not write that anywhere
# (docker/cli, cli/config/configfile/file.go).
log_in_buildx() {
  local password logins
  password="$(printf 'AWS:%s' "$(<"$(login_file)")" | base64 | tr -d '\n')"
  logins="$(printf '{"auths": {"%s": {"auth": "%s"}}}' "${CACHE_URL%%/*}" "$password")"
  export DOCKER_AUTH_CONFIG="$logins" BUILDX_CONFIG="$WORK/buildx" # the folder has what buildx knows of builders
}

# make_builder starts the builder. With network=host, it reaches registries as this machine does.
make_builder() {
  local image="$CACHE_URL:buildkit-$BUILDKIT-$GOARCH"
  fetch_builder "$image" &&
    docker buildx create --name "$BUILDER" --driver docker-container --driver-opt "image=$image" --driver-opt network=host --bootstrap
}

# fetch_builder IMAGE pulls the builder's image, which the first build copies to the cache's repository. The login is for
# this alone, and goes with this script.
fetch_builder() {
  local ecr=(docker --config "$WORK/docker")
  "${ecr[@]}" login --username AWS --password-stdin "${CACHE_URL%%/*}" <"$(login_file)" || return
  ! "${ecr[@]}" pull --quiet "$1" || return 0
  docker pull --quiet "moby/buildkit:$BUILDKIT" && docker tag "moby/buildkit:$BUILDKIT" "$1" && "${ecr[@]}" push --quiet "$1"
}

# end_cache removes the builder, if there is one.
end_cache() {
  [[ ! -d "$WORK/buildx" ]] || docker buildx rm --force "$BUILDER" >/dev/null 2>&1
}
