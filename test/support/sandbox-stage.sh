#!/bin/bash
# The middle of the sandbox: PID 1 of a first namespace that still has the host's network. Lays
# the overlay over the host's root, moves into it, installs Debian's daemons there without starting
# any, then gives COMMAND a second set of namespaces under sandbox-init.pl. Called by sandbox.sh only.
set -u

project=$1
shift
home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
node=$(command -v node || true)

refuse() {
  echo "sandbox: $*" >&2
  exit 1
}

# Everything is mounted over /mnt of this mount namespace alone: no directory is made on the host,
# and the mounts end with the last process that sees them.
base=/mnt
mount -t tmpfs -o mode=755,size=80%,nr_inodes=0 sandbox $base || refuse "cannot mount a tmpfs"

# An overlay does not see what is mounted below its lower directory, so /usr, /var and the like
# on file systems of their own get an overlay each.
layer() {
  local point=$1 name
  name=$(tr / _ <<<"$point")
  mkdir -p "$base/upper$name" "$base/work$name" "$base/root$point"
  mount -t overlay -o "lowerdir=$point,upperdir=$base/upper$name,workdir=$base/work$name" sandbox "$base/root$point" 2>/dev/null ||
    refuse "the kernel refuses an overlay over $point"
}
mkdir -p $base/root
layer /
for wanted in /usr /var /etc /opt /srv /home /root "$project" "$(dirname "$(readlink -f "${node:-/usr/bin/env}")")"; do
  point=$(findmnt -n -o TARGET -T "$wanted" 2>/dev/null) || continue
  [ "$point" = / ] || mountpoint -q "$base/root$point" || layer "$point"
done

cat /etc/resolv.conf >$base/resolv.conf 2>/dev/null    # often a link into /run, which is about to be empty
keep=${SANDBOX_PACKAGES:-}
if [ -n "$keep" ]; then
  mkdir -p "$keep/archives/partial" "$keep/lists/partial" || refuse "cannot write $keep (SANDBOX_PACKAGES)"
  for part in archives lists; do
    mkdir -p "$base/$part" && mount --bind "$keep/$part" "$base/$part" || refuse "cannot bind $keep"
  done
fi

# A checkout (or a node) under /tmp must not vanish behind the empty /tmp.
covered=()
for wanted in "$project" "$(dirname "$(readlink -f "${node:-/usr/bin/env}")")"; do
  case $wanted in
    /tmp/*)
      mkdir -p "$base/covered$wanted" && mount --rbind "$base/root$wanted" "$base/covered$wanted" || refuse "cannot bind $wanted"
      covered+=("$wanted")
      ;;
  esac
done

cd $base/root || exit 1
. "$home/own-mounts.sh"
# /proc/sys and sysrq belong to the whole machine: procps' own postinst would otherwise set them.
mount --bind proc/sys proc/sys && mount -o remount,bind,ro proc/sys
[ ! -e proc/sysrq-trigger ] || mount --bind /dev/null proc/sysrq-trigger
# Loop devices are the machine's, not a namespace's; a mount with -o loop lets go of its own by itself.
mknod -m 660 dev/loop-control c 10 237
for number in $(seq 0 31); do mknod -m 660 "dev/loop$number" b 7 "$number"; done
mkdir -m 1777 run/lock
mount -t tmpfs -o mode=1777 tmpfs tmp
for wanted in "${covered[@]}"; do
  mkdir -p ".$wanted" && mount --move "$base/covered$wanted" ".$wanted" || refuse "cannot bind $wanted"
done
rm -f etc/resolv.conf
cp $base/resolv.conf etc/resolv.conf
if [ -n "$keep" ]; then
  mount --bind $base/archives var/cache/apt/archives
  mount --bind $base/lists var/lib/apt/lists
fi
mkdir -p mnt
pivot_root . mnt || refuse "the kernel refuses pivot_root (is / an initramfs?)"
cd /
umount -l /mnt

# Nothing that a package wants started is started while it is installed.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d

export LC_ALL=C.UTF-8 LANG=C.UTF-8 HOME=/root USER=root LOGNAME=root SHELL=/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin${node:+:$(dirname "$node")}
unset TMPDIR XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_STATE_HOME XDG_DATA_HOME XDG_CACHE_HOME DBUS_SESSION_BUS_ADDRESS NOTIFY_SOCKET

daemons="openssh-server slapd bind9 apache2 cfengine3 cron rsyslog postfix"
graceful="nginx-light haproxy gunicorn unicorn puma ruby-sd-notify python3-sdnotify"
packages=${SANDBOX_INSTALL-"$daemons $graceful postgresql redis-server openssh-client ldap-utils bind9-utils procps psmisc iproute2 e2fsprogs util-linux systemd"}
if [ -n "$packages" ]; then
  log=/var/log/sandbox-install.log
  export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true
  # Not in apt's own place: an apt.conf of a container image may empty that after each run, and a
  # test unpacks a daemon's package a second time, as an upgrade would.
  mkdir -p /var/cache/sandbox/partial
  apt=(apt-get -q -y -o APT::Get::List-Cleanup=false -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confmiss
    -o Dir::Cache::archives=/var/cache/sandbox
    -o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin -o Acquire::Languages=none
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=60 -o Binary::apt::APT::Keep-Downloaded-Packages=true)
  give_up() {
    tail -n 40 "$log" >&2
    refuse "$1"
  }
  # What the host's own administrator made of these daemons must not decide a test: back to Debian's.
  present=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $daemons 2>/dev/null | awk '$1 != "un" { print $2 }')
  if [ -n "$present" ]; then
    "${apt[@]}" purge $present </dev/null >>"$log" 2>&1 || give_up "cannot take back the host's $present inside the overlay"
    rm -rf /etc/ssh /etc/ldap/slapd.d /var/lib/ldap /etc/bind /etc/apache2 /var/lib/cfengine3
  fi
  rm -f /var/lib/man-db/auto-update    # nobody reads manuals here: some seconds
  # One third-party source out of order must not matter, so only the install may fail.
  "${apt[@]}" update </dev/null >>"$log" 2>&1
  "${apt[@]}" install --no-install-recommends $packages </dev/null >>"$log" 2>&1 || give_up "the packages could not be installed (network?)"
  # /proc/kmsg hands each line of the machine's kernel log to one reader only: leave it to the host.
  [ ! -f /etc/rsyslog.conf ] || sed -i '/imklog/d' /etc/rsyslog.conf
fi
rm -f /usr/sbin/policy-rc.d    # from here on it is a server like any other, also for invoke-rc.d
printf '#!/bin/sh\necho N 2\n' >/sbin/.runlevel    # without an init there is no run level, and invoke-rc.d would do nothing
chmod 755 /sbin/.runlevel && mv /sbin/.runlevel /sbin/runlevel

# A shell as PID 1 ends with its last command, and the namespace with it. --kill-child on every
# level makes a SIGKILL at the top reach the bottom.
unshare --net --uts --ipc --cgroup --pid --mount --fork --kill-child --propagation private -- \
  perl "$home/sandbox-init.pl" "$project" "$@"
exit $?
