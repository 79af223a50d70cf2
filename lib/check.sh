#!/bin/sh
# Is there a keeper, and does it make progress? For cron, once a minute. All is well: not a word, and Node is not started.
#   sh check.sh RUNTIME STATE LOGS COMMAND [ARGUMENT...]      COMMAND starts the keeper
# Presence of a process is not life: a keeper is well when the process that holds its lock has renewed RUNTIME/progress
# ("<seconds of /proc/uptime> <pid>") within the last minute. One that has not is looked at again half a minute later, since
# a suspended machine or a stall is no death; then it is killed and a new one started, which adopts every service.
# The clock is the kernel's uptime: nobody sets it.
set -u
umask 022
LC_ALL=C
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
export LC_ALL PATH
runtime=$1
state=$2
logs=$3
shift 3
stale=${UPKEEP_CHECK_STALE:-60}
again=${UPKEEP_CHECK_AGAIN:-30}
here=$(dirname "$0")

# `upkeep shutdown` leaves a mark, and it counts for the boot in which it was made.
is_stopped_on_purpose() {
  [ -f "$state/stopped" ] || return 1
  read -r boot </proc/sys/kernel/random/boot_id
  while read -r line; do
    [ "$line" = "boot=$boot" ] && return 0
  done <"$state/stopped"
  return 1
}

# The pid that holds the keeper's lock; empty when nobody does. /proc/locks has "12: FLOCK ADVISORY WRITE 801 00:1a:4711 0 EOF";
# inode numbers repeat on other file systems and their device is another one than stat's on some, so the descriptor decides.
# Looking at the lock, instead of trying it, never stands in the way of a keeper that is just starting.
holder() {
  place=$(cd -P "$runtime" 2>/dev/null && pwd -P) || return 0
  inode=$(stat -c %i "$place/lock" 2>/dev/null) || return 0
  while read -r _ kind _ _ pid where _; do
    case $kind:$where in
      FLOCK:*:"$inode")
        ls -l "/proc/$pid/fd" 2>/dev/null | while read -r link; do
          case $link in *" -> $place/lock") echo "$pid" && break ;; esac
        done
        ;;
    esac
  done </proc/locks
}

uptime_seconds() {
  read -r seconds _ </proc/uptime
  echo "${seconds%%.*}"
}

# none: nobody holds the lock. other: somebody who has left no stamp yet: a keeper that starts, or `upkeep once`.
# moving or still: the keeper.
look() {
  at=0 stamped=0
  if [ -f "$runtime/progress" ]; then read -r at stamped _ <"$runtime/progress"; fi
  case $at in '' | *[!0-9.]*) at=0 ;; esac # half of a stamp is none
  held=$(holder)
  if [ -z "$held" ]; then found=none
  elif [ "$held" != "$stamped" ]; then found=other
  else
    age=$(($(uptime_seconds) - ${at%%.*}))
    # Younger than nothing: a stamp from before a reboot.
    if [ "$age" -ge 0 ] && [ "$age" -le "$stale" ]; then found=moving; else found=still; fi
  fi
}

say() {
  mkdir -p "$logs" 2>/dev/null
  if [ ! -L "$logs/_keeper.log" ]; then
    { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) notice check: $*" >>"$logs/_keeper.log"; } 2>/dev/null
  fi
  [ -S /dev/log ] && logger -t upkeep -p daemon.notice -- "check: $*" 2>/dev/null
  return 0
}

start_keeper() {
  # Whoever ends by `upkeep shutdown` makes the mark before letting go of the lock: asked in this order nothing slips through.
  is_stopped_on_purpose && exit 0
  say "nobody keeps the services; starting a keeper"
  # Without the lock of this check: the keeper would hold it for ever.
  UPKEEP_OWNER=cron /bin/sh "$here/start.sh" "$runtime" "$logs" "$@" 9>&-
}

is_stopped_on_purpose && exit 0
look
case $found in
  moving)
    # Nobody else keeps the keeper's own output small.
    if [ -f "$logs/_keeper.log" ] && [ "$(wc -c <"$logs/_keeper.log")" -gt 10485760 ] && [ ! -L "$logs/_keeper.log.1" ]; then
      cp "$logs/_keeper.log" "$logs/_keeper.log.1" && : >"$logs/_keeper.log"
    fi
    exit 0
    ;;
  other) exit 0 ;;
  none | still) ;;
esac

# Two checks at once would do no harm, since the keeper's own lock lets only one in; it would be noise. Hence no substitute
# where there is no flock(1).
mkdir -p "$runtime" || exit 1
if command -v flock >/dev/null 2>&1; then
  exec 9>>"$runtime/check.lock" || exit 1
  flock -n 9 || exit 0
  look
fi

if [ "$found" = still ]; then
  before=$at suspect=$held
  sleep "$again"
  look
  [ "$found" = still ] && [ "$held" = "$suspect" ] && [ "$at" = "$before" ] || exit 0
  say "the keeper (pid $suspect) has made no progress for more than $stale s; killing it"
  kill -KILL "$suspect"
  tries=100
  while [ -n "$(holder)" ]; do
    tries=$((tries - 1))
    if [ "$tries" = 0 ]; then
      echo "upkeep: the keeper (pid $suspect) makes no progress and does not even end by SIGKILL; see /proc/$suspect/stack" >&2
      exit 1
    fi
    sleep 0.1
  done
  found=none
fi
[ "$found" = none ] || exit 0
start_keeper "$@"
