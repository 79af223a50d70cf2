#!/bin/bash
# A real systemd as PID 1 of namespaces of its own, over a throw-away copy of the root it is called in:
#   systemd.sh ROOT NAME      ROOT: an empty directory on a tmpfs, NAME: of its cgroup
# /run/bench and /bench (the stamp program, its FIFO) are the same inside.
set -eu
root=$1
mount -t tmpfs -o mode=755 tmpfs "$root"
mkdir "$root"/{upper,work,system}
mount -t overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" overlay "$root/system"

group=/sys/fs/cgroup/bench-$2
mkdir "$group"
echo $$ >"$group/cgroup.procs"      # becomes the root of the new cgroup namespace

mounts=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../test/support" && pwd -P)/own-mounts.sh
MOUNTS=$mounts exec unshare --fork --kill-child --pid --mount --uts --ipc --cgroup --propagation private -- /bin/bash -c '
set -eu
cd "$1"
: >etc/machine-id
mkdir -p etc/systemd/system
printf "[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service\n" >etc/systemd/system/bench-boot.target
. "$MOUNTS"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mkdir run/bench bench 2>/dev/null || true
mount --bind /run/bench run/bench
mount --bind /bench bench
mount -t tmpfs tmpfs tmp
pivot_root . mnt
umount -l /mnt
exec env -i container=bench PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
  /lib/systemd/systemd --unit=bench-boot.target --log-target=console --show-status=no
' systemd "$root/system"
