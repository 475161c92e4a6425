#!/bin/bash
#
# What a person would type to release a change of webapp/ on this machine, and nothing else: no pipeline, no login, no
# checks, and the URL is down between two releases. A push to the rehearsal is compared with it.
#
# Reads: IMAGE     repository:tag in a registry that anybody may push to
#        NAME      of the container that serves
#        ADDRESS   address:port where it serves on this machine

set -euo pipefail

cd webapp
go vet ./...
go test ./...
CGO_ENABLED=0 GOOS=linux go build -trimpath -buildvcs=false -ldflags='-s -w' -o bin/webapp .
docker build --tag "$IMAGE" .
docker push "$IMAGE"
docker pull "$IMAGE"
docker rm --force "$NAME"
docker run --detach --name "$NAME" --publish "$ADDRESS:8080" "$IMAGE"
until curl --silent --fail --noproxy '*' "http://$ADDRESS/healthz"; do
  sleep 0.02
done
