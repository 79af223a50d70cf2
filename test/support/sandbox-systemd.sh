#!/bin/bash
# A real systemd as PID 1 of namespaces of its own, on the disposable root of the sandbox: `sandbox-systemd.sh TARGET-UNITS...`
# are what it boots to, beside its journal. The same files as outside; /run, /tmp, /dev and the processes are its own.
# Called inside the sandbox only.
set -eu
[ "${UPKEEP_SANDBOX:-}" = 1 ] || { echo 'only inside the sandbox' >&2; exit 1; }

group=/sys/fs/cgroup/systemd-$$
mkdir "$group"
echo $$ >"$group/cgroup.procs" # becomes the root of the new cgroup namespace

mkdir -p /mnt/system
mounts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)/own-mounts.sh
PWD_OUTSIDE=$(pwd -P) MOUNTS=$mounts exec unshare --fork --kill-child --pid --mount --uts --ipc --cgroup --propagation private -- /bin/bash -c '
set -eu
mount --rbind / /mnt/system
cd /mnt/system
umount -R -l proc sys dev run    # the same file system is not mounted twice in one place
: >etc/machine-id
wants=$(printf "%s " "$@")
printf "[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service %s\n" "$wants" >etc/systemd/system/sandbox-boot.target
. "$MOUNTS"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
# It clears its /tmp, and this one is the test runner'"'"'s. A checkout below /tmp is put back.
project=$PWD_OUTSIDE
case $project in /tmp/*) mkdir -p /mnt/project && mount --rbind "$project" /mnt/project ;; esac
mount -t tmpfs -o mode=1777 tmpfs tmp
case $project in /tmp/*) mkdir -p ".$project" && mount --rbind /mnt/project ".$project" ;; esac
pivot_root . mnt
umount -l /mnt
exec env -i container=sandbox PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
  /lib/systemd/systemd --unit=sandbox-boot.target --log-target=console --show-status=no
' systemd "$@"
