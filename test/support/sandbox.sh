#!/bin/bash
# Runs COMMAND as root in a disposable machine: the host's own files under an overlay, with
# mounts, processes, network, IPC, host name and cgroups of its own, and Debian's daemons installed
# in the overlay alone. Nothing of the host changes, and everything inside dies with this script
# or with whoever called it. It knows nothing of Upkeep: that is for COMMAND.
#
#   test/support/sandbox.sh COMMAND [ARGS…]     the exit code is COMMAND's
#
# SANDBOX_PACKAGES=DIR      keep the downloaded packages in DIR (on the host) for the next run;
#                           without it every run fetches them again and the host keeps nothing.
# SANDBOX_INSTALL="a b c"   install these packages instead of the usual ones; "" installs none.
#
# It needs root and a kernel that lets root make namespaces, overlays and tmpfs; from Debian only
# util-linux, perl-base and apt. Exit 1 with one line on stderr where that is refused.
set -u

refuse() {
  echo "sandbox: $*" >&2
  exit 1
}

[ $# -gt 0 ] || refuse "no command given; usage: test/support/sandbox.sh COMMAND [ARGS…]"
[ "$(id -u)" = 0 ] || refuse "must be started as root: namespaces, mounts and packages need it"
for tool in unshare setpriv mount setsid mountpoint perl apt-get; do
  command -v "$tool" >/dev/null || refuse "$tool is missing; Debian has it in util-linux, perl-base or apt"
done

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
project=$(cd "$here/../.." && pwd -P)

# Die with the caller: PR_SET_PDEATHSIG is kept over exec and lost at fork, so it is renewed for
# each process on the way down (here, the outer unshare; below that the PID namespaces do it).
if [ "${SANDBOX_LEASHED:-}" != "$$" ]; then
  SANDBOX_LEASHED=$$ exec setpriv --pdeathsig KILL -- /bin/bash "${BASH_SOURCE[0]}" "$@"
fi
unset SANDBOX_LEASHED

# A cgroup of our own becomes the root of the container's cgroup namespace. A machine without a
# writable cgroup2 goes without; what needs one then says so itself.
cgroup=
mount=$(awk '{ for (i = 7; i <= NF; i++) if ($i == "-") { if ($(i + 1) == "cgroup2") { print $5; exit } break } }' /proc/self/mountinfo)
if [ -n "$mount" ] && mkdir "$mount/upkeep-sandbox-$$" 2>/dev/null; then
  cgroup=$mount/upkeep-sandbox-$$
fi

# The janitor outlives even a SIGKILL of this script: every process below holds the write end of
# its pipe, and at end of file it removes the cgroups. In a session of its own, so that a Ctrl-C
# or a killed process group does not take it along.
exec {leash}> >(exec setsid /bin/bash -c '
  cat >/dev/null
  [ -n "$1" ] || exit 0
  [ -e "$1/cgroup.kill" ] && echo 1 >"$1/cgroup.kill"
  for try in $(seq 100); do                # rmdir is EBUSY until the last one has been reaped
    find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
    [ -d "$1" ] || exit 0
    sleep 0.1
  done' janitor "$cgroup" >/dev/null 2>&1)
janitor=$!

# Probe before the real thing, so that a refusal is one plain sentence.
unshare --mount --pid --net --ipc --uts --fork --propagation private true 2>/dev/null ||
  refuse "the kernel refuses new namespaces; root with CAP_SYS_ADMIN is needed (not an unprivileged container)"

setpriv --pdeathsig KILL -- /bin/bash -c '
  [ -z "$1" ] || echo 0 >"$1/cgroup.procs" || exit 1
  shift
  exec unshare --mount --pid --fork --kill-child --propagation private -- /bin/bash "$@"
' outer "$cgroup" "$here/sandbox-stage.sh" "$project" "$@" <&0 &   # <&0: bash gives a job in the background /dev/null
machine=$!
# unshare --fork ignores SIGTERM while it waits, so its end is asked for with SIGKILL.
trap 'kill -KILL $machine 2>/dev/null' TERM INT HUP
while :; do
  wait "$machine" 2>/dev/null    # bash would report a killed job with all of its text
  code=$?
  kill -0 "$machine" 2>/dev/null || break
done

exec {leash}>&-
wait "$janitor" 2>/dev/null
exit "$code"
