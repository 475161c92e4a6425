#!/bin/bash
#
# User data: turns a fresh Amazon Linux 2023 instance into a deployment target, with Docker and the CodeDeploy agent.
# cloud-init runs it once, as root, at the first boot, and writes its output to /var/log/cloud-init-output.log.
#
# Reads:  AWS_REGION       the instance's region; the agent's installer asks IMDSv1 without it, which is off
#         AGENT_INSTALLER  URL of the CodeDeploy agent's installer
#         AGENT_VERSION    the agent's major version: 1, in Ruby, or 2, which is one binary

set -euo pipefail

readonly AGENT_CONFIG=/etc/codedeploy-agent/conf/codedeployagent.yml

# Retries a command for five minutes: the Elastic IP, and with it internet access, arrives seconds after the boot.
retry() {
  local attempt
  for attempt in {1..30}; do
    if "$@"; then
      return 0
    fi
    echo "attempt ${attempt} of 30 failed: $*" >&2
    sleep 10
  done
  return 1
}

install_docker() {
  retry dnf install --assumeyes docker
  mkdir -p /etc/docker
  # Without rotation, container logs fill the disk.
  cat >/etc/docker/daemon.json <<'JSON'
{"log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "3"}}
JSON
  systemctl enable --now docker
}

install_agent() {
  if [[ "${AGENT_VERSION}" == 1 ]]; then
    # By its version: the installer takes Ruby up to 3.2 (aws-codedeploy-agent 1.8.1, bin/install), and AL2023 has newer ones.
    retry dnf install --assumeyes ruby3.2
  fi
  retry curl --fail --silent --show-error --output /root/install-codedeploy-agent "${AGENT_INSTALLER}"
  chmod 0700 /root/install-codedeploy-agent
  retry /root/install-codedeploy-agent auto # run as it is: version 1's installer is a Ruby script, version 2's a shell script
  configure_agent disable_imds_v1 true
  configure_agent wait_between_runs 1 # seconds; version 2 ships with 30, and each of a release's events would wait as long
  systemctl enable codedeploy-agent
  systemctl restart codedeploy-agent
  retry systemctl is-active codedeploy-agent
}

# Sets one of the agent's settings. Both versions read keys with a colon before them.
configure_agent() {
  sed --in-place "/^:\?$1:/d" "${AGENT_CONFIG}"
  echo ":$1: $2" >>"${AGENT_CONFIG}"
}

main() {
  install_docker
  install_agent # last: once it runs, it asks for deployments
}

main "$@"
