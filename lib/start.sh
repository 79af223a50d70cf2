#!/bin/sh
# Starts the keeper, or the guard that keeps it, in a session of its own, away from whoever asks: cron, an init script,
# `upkeep install`.
#   UPKEEP_OWNER=WHO sh start.sh RUNTIME LOGS COMMAND [ARGUMENT...]
# What it says goes to LOGS/_keeper.log, a name that no service can have, and to syslog by its own hand. It must not know
# whether a start is wanted.
set -u
umask 022
runtime=$1
logs=$2
shift 2

mkdir -p "$runtime" "$logs" 2>/dev/null # what is wrong with them the keeper says better
log=$logs/_keeper.log

# Nobody else rotates it. With a limit, so that the messages of years do not fill the disk.
if [ -f "$log" ] && [ "$(wc -c <"$log")" -gt 10485760 ]; then mv -f "$log" "$log.1"; fi
# A full or read-only disk, or a link that somebody left there, is no reason not to start.
if [ -L "$log" ] || ! { true >>"$log"; } 2>/dev/null; then log=/dev/null; fi

# A guard that waits between two lives of its keeper is found by this; a keeper is found by its lock.
pidfile=/dev/null
case ${UPKEEP_OWNER:-} in sysv | guard) pidfile=$runtime/guard.pid ;; esac

detach=
command -v setsid >/dev/null 2>&1 && detach=setsid
# shellcheck disable=SC2016,SC2086
$detach /bin/sh -c 'echo "$$" 2>/dev/null >"$1"; shift; exec "$@"' upkeep "$pidfile" "$@" </dev/null >>"$log" 2>&1 &
