# shellcheck shell=bash
#
# The stack's EBS volume for data, as this host has it: a disk with an ext4 file system on the whole of it. Amazon Linux
# 2023 has the tools anyway: cloud-init, which runs user data, requires e2fsprogs (Fedora, cloud-init.spec). Sourced,
# not run, after release.sh, ending.sh, containers.sh and settings.sh.
#
# Reads: VOLUME_ID, SECRETS_PATH (lib/settings.sh)
#        DISK_SECONDS   overrides the number below, for tests

readonly DISK_SECONDS="${DISK_SECONDS:-60}" # how long an attached volume may take to appear
readonly DISK_ON_XEN=xvdf                   # its name there, as it is attached as /dev/sdf
readonly BLANK_BYTES=1048576                # at the beginning of a new volume, all zero

# disk_label prints the label of the stack's file system, of at most 16 bytes (mke2fs(8), "-L").
disk_label() {
  local sum
  sum="$(cksum <<<"$SECRETS_PATH")"
  printf 'cicd-%08x' "${sum%% *}"
}

# find_disk prints the volume's device, if it has one. A volume's serial number is its id, without the hyphen; on Xen it
# has none, but keeps the name that it was attached by (EBS User Guide, "Map Amazon EBS volumes to NVMe device names").
find_disk() {
  local device serial
  while read -r device serial; do
    [[ "$serial" != "${VOLUME_ID/-/}" && "${device##*/}|$serial" != "$DISK_ON_XEN|" ]] || printf '%s' "$device"
  done < <(lsblk --nodeps --noheadings --raw --paths --output NAME,SERIAL)
}

await_disk() {
  local device deadline=$((SECONDS + DISK_SECONDS))
  until device="$(find_disk)" && [[ -n "$device" ]]; do
    ((SECONDS < deadline)) || die "the stack's volume $VOLUME_ID is not attached to this host: pulumi up attaches it, and then release again. Nothing has been changed"
    sleep 0.5
  done
  printf '%s' "$device"
}

# probe DEVICE sets ON_DISK to the type and the label of what is on a device, "" for nothing, and DISK_UUID. It looks at
# the device itself, not at what the system remembers of it; of several signatures, it tells none (blkid(8), "--probe").
probe() {
  local key value status=0
  ON_DISK='' DISK_UUID=''
  blkid --probe --output export "$1" >"$WORK/disk" 2>"$WORK/reason" || status=$?
  ((status == 0 || status == 2)) || die "what is on the volume $VOLUME_ID, $1, is ambiguous or cannot be read (blkid ended with $status): $(tr '\n' ' ' <"$WORK/reason"). Nothing has been changed"
  while IFS='=' read -r key value; do
    case "$key" in
      TYPE) ON_DISK="$value $ON_DISK" ;;
      PTTYPE) ON_DISK="a partition table, $value" ;;
      LABEL) ON_DISK+="$value" ;;
      UUID) DISK_UUID="$value" ;;
    esac
  done <"$WORK/disk"
}

# disk_source prints by what fstab knows the device that probe has looked at.
disk_source() { printf '%s' "UUID=$DISK_UUID"; }

# format DEVICE makes the file system, on a device that is blank: blkid finds nothing, and its beginning is zeros.
format() {
  local set
  set="$(head --bytes="$BLANK_BYTES" "$1" | tr --delete '\0' | wc --bytes)" || die "the volume $VOLUME_ID, $1, cannot be read. Nothing has been changed"
  ((set == 0)) || die "the volume $VOLUME_ID, $1, is not blank, and what is on it is unknown, so it is not formatted. Nothing has been changed"
  log "the volume $VOLUME_ID is new: $1 gets a file system"
  uncut mkfs.ext4 -q -L "$(disk_label)" "$1" </dev/null
  probe "$1"
}

# check_disk_is_ours DEVICE ends the hook unless the device has the stack's file system.
check_disk_is_ours() {
  local want
  want="ext4 $(disk_label)"
  [[ "$ON_DISK" == "$want" ]] ||
    die "the volume $VOLUME_ID, $1, holds '${ON_DISK% }' (type and label), want this stack's '$want'. If it holds the right data, such as a copy of another stack's: e2label $1 $(disk_label). Nothing has been changed"
}
