# shellcheck shell=bash
#
# Where the stack's data is on this host, now and after a reboot. Sourced, not run, after disk.sh.
#
# Reads: DATA_FOLDER   where the data volume is mounted (default /var/lib/cicd-data)
#        FSTAB         the system's list of file systems (default /etc/fstab)

readonly DATA_FOLDER="${DATA_FOLDER:-/var/lib/cicd-data}"
readonly FSTAB="${FSTAB:-/etc/fstab}"
readonly FULL_PERCENT=90 # used, from which on releases warn

# mount_data mounts the data volume, and gives its file system all of its room. Hosts that existed before get it so too.
mount_data() {
  local disk mounted
  disk="$(await_disk)"
  mounted="$(findmnt --noheadings --raw --output SOURCE --mountpoint "$DATA_FOLDER")" || mounted=''
  [[ -z "$mounted" || "$mounted" == "$disk" ]] ||
    die "$DATA_FOLDER has $mounted mounted, and the volume $VOLUME_ID is $disk now: was it detached for a while? Reboot the host. Nothing has been changed"
  probe "$disk"
  [[ -n "$ON_DISK" ]] || format "$disk"
  check_disk_is_ours "$disk"
  write_fstab
  if [[ -z "$mounted" ]]; then
    mkdir -p "$DATA_FOLDER"
    mount --fstab "$FSTAB" "$DATA_FOLDER" 2>"$WORK/reason" || die "the volume $VOLUME_ID, $disk, cannot be mounted: $(tr '\n' ' ' <"$WORK/reason")"
  fi
  resize2fs "$disk" >"$WORK/reason" 2>&1 || log "warning: the file system of $VOLUME_ID keeps its size: $(tr '\n' ' ' <"$WORK/reason")"
}

# write_fstab has the system mount the volume when it boots. If it is away, the system boots all the same, and Docker
# waits for it first (systemd.mount(5): nofail, x-systemd.before, x-systemd.device-timeout).
write_fstab() {
  local line
  line="$(disk_source) $DATA_FOLDER ext4 nodev,nosuid,nofail,x-systemd.before=docker.service,x-systemd.device-timeout=30s 0 2"
  ! grep --quiet --line-regexp --fixed-strings "$line" "$FSTAB" || return 0
  awk -v folder="$DATA_FOLDER" -v line="$line" '$2 != folder { print } END { print line }' "$FSTAB" >"$FSTAB.next"
  chmod 644 "$FSTAB.next"
  mv "$FSTAB.next" "$FSTAB"
  systemctl daemon-reload
}

# warn_if_full tells how full the data volume is, if that is much.
warn_if_full() {
  local free size
  read -r free size < <(df --block-size=1M --output=avail,size "$DATA_FOLDER" | tail -n 1)
  (((size - free) * 100 < size * FULL_PERCENT)) ||
    log "warning: the volume for data has $free of $size MiB free: remove what is not needed, or raise volumeGiB, run pulumi up and release again"
}
