# shellcheck shell=bash
#
# The commands by which a rehearsed host handles disks, after the lines that set the variables below: see disks.go. Only
# root could run the real ones, and they would see this machine's disks. These know the volumes that the stack attaches
# to the host. A volume is a file: empty, or one line with the type, label and UUID of the file system on it. What
# containers write to it is in Docker volumes, which docker.sh makes.
#
# Reads: REHEARSAL_DEVICES   the folder with the host's disks, each a link to its volume's file, which is called by the volume's id
#        REHEARSAL_MOUNTS    the file with what is mounted: a folder, the disk and the volume's id in a line
#        REHEARSAL_SIZES     the folder with the volumes' sizes in GiB
#        REHEARSAL_DF        the real df

command="${0##*/}"
last="${!#}" # every command's object

fail() {
  printf '%s: %s\n' "$command" "${*:2}" >&2
  exit "$1"
}

# on_disk DISK sets type, label and uuid.
on_disk() {
  [[ -e "$1" ]] || fail 2 "error: $1: No such file or directory"
  read -r type label uuid <"$1" || true
}

# mounted_on FOLDER sets disk and volume.
mounted_on() {
  local folder
  while read -r folder disk volume; do
    [[ "$folder" != "$1" ]] || return 0
  done <"$REHEARSAL_MOUNTS"
  return 1
}

# Serial numbers are those of Nitro; on Xen a disk has none (EBS User Guide, "Map Amazon EBS volumes to NVMe device
# names").
list() {
  local disk serial
  for disk in "$REHEARSAL_DEVICES"/*; do
    [[ -e "$disk" ]] || continue
    serial="$(basename "$(readlink "$disk")")"
    [[ "$disk" != */xvd* ]] || serial=''
    echo "$disk ${serial/-/}"
  done
}

# Exit codes of blkid(8): 2 if nothing is found, 8 if what is found is ambiguous.
probe() {
  on_disk "$last"
  [[ -n "$type" ]] || exit 2
  [[ "$type" != ambivalent ]] || exit 8
  printf '%s\n' "DEVNAME=$last" "LABEL=$label" "UUID=$uuid" "TYPE=$type"
}

format() {
  ! grep -q " $last " "$REHEARSAL_MOUNTS" || fail 1 "$last is mounted; will not make a filesystem here!"
  on_disk "$last"
  echo "${command#mkfs.} $3 $(</proc/sys/kernel/random/uuid)" >"$last" # -q -L LABEL DISK
}

# --fstab FILE FOLDER; 1 and 32 are codes of mount(8).
attach() {
  local source disk
  source="$(awk -v folder="$last" '$2 == folder { print $1 }' "$2")"
  [[ -n "$source" ]] || fail 1 "$last: can't find in $2."
  [[ -d "$last" ]] || fail 32 "$last: mount point does not exist."
  for disk in "$REHEARSAL_DEVICES"/*; do
    [[ -e "$disk" ]] || continue
    on_disk "$disk"
    [[ "UUID=$uuid" != "$source" ]] || exec printf '%s\n' "$last $disk $(basename "$(readlink "$disk")")" >>"$REHEARSAL_MOUNTS"
  done
  fail 1 "$last: can't find $source."
}

usage() {
  mounted_on "$last" || exec "$REHEARSAL_DF" "$@"
  local mib=$(($(<"$REHEARSAL_SIZES/$volume") * 1024))
  printf '%s\n' 'Avail 1M-blocks' "$mib $mib" # of --output=avail,size
}

case "$command" in
  lsblk) list ;;
  blkid) probe ;;
  mkfs.ext4) format "$@" ;;
  mount) attach "$@" ;;
  findmnt) mounted_on "$last" && echo "$disk" ;;
  resize2fs) [[ -e "$last" ]] || fail 1 "open: No such file or directory while opening $last" ;;
  df) usage "$@" ;;
  systemctl) ;;
esac
