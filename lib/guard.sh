#!/bin/sh
# The keeper's parent: a small shell that starts the keeper again whenever it ends and was not asked to. Also PID 1 of a
# container, where it reaps whatever was left without a parent. It must not know the services, nor files of the keeper.
#   sh guard.sh PROGRAM [ARGUMENT...]
# The keeper is told UPKEEP_GUARD (our pid), UPKEEP_GUARD_LIFE (1, 2, ...) and UPKEEP_GUARD_LAST (the status of the life before).
# One that ends by request, or that refuses its first start, says so with SIGUSR1 just before it ends: then we end with its
# status. A signal and not a status of its own, because `--exit-with` may pass on any.
# While nothing happens this is one process that waits: no subshell, no sleep.
set -u
life=0
short=0
last=
keeper=
pause=
purpose=keep
woken=no

# Who sends us one of these wants the keeper to end. Also before it can listen: then it dies of the signal, and that is it.
end() {
  purpose=end
  woken=yes
  [ -z "$keeper" ] || kill -s "$1" "$keeper" 2>/dev/null
  [ -z "$pause" ] || kill "$pause" 2>/dev/null
}
pass() {
  woken=yes
  [ -z "$keeper" ] || kill -s "$1" "$keeper" 2>/dev/null
}
trap 'end TERM' TERM
# A shell starts what runs in the background with SIGINT ignored: one that comes before the keeper listens would be lost.
trap 'end TERM' INT
trap 'pass HUP' HUP
trap 'pass QUIT' QUIT
trap 'pass USR2' USR2
trap 'woken=yes; [ "$purpose" = end ] || purpose=said' USR1

# Whole seconds of the kernel's uptime: nobody sets that clock.
look_at_clock() {
  now=0
  if read -r now _ 2>/dev/null </proc/uptime; then now=${now%%.*}; fi
}

while [ "$purpose" = keep ]; do
  life=$((life + 1))
  look_at_clock
  begun=$now
  UPKEEP_GUARD=$$ UPKEEP_GUARD_LIFE=$life UPKEEP_GUARD_LAST=$last "$@" </dev/null &
  keeper=$!
  # It was forked, but not known yet, when the signal came.
  [ "$purpose" != end ] || kill "$keeper" 2>/dev/null

  # A signal that we handle ends `wait` with a status above 128, while the keeper may live on; only then is there a second
  # `wait`. Asking kill -0 alone would go round for ever when its pid is somebody else's by now.
  while :; do
    woken=no
    wait "$keeper" 2>/dev/null # dash would say "Killed", without saying who
    status=$?
    if [ "$woken" = no ] || [ "$status" -le 128 ]; then break; fi
    kill -0 "$keeper" 2>/dev/null && continue
    # It ended at that very moment, and this is the status of the signal: its own comes now. Where it was its own, it may be
    # told once only, and the shell knows no such child.
    wait "$keeper" 2>/dev/null
    again=$?
    [ "$again" = 127 ] || status=$again
    break
  done
  keeper=
  [ "$purpose" = keep ] || break

  last=$status
  said="status $status"
  [ "$status" -le 128 ] || said="status $status, which is signal $((status - 128)) or that exit code"
  # In a process of its own: nobody may read there any more, and the SIGPIPE, or the wait for room, must not be ours.
  echo "upkeep guard: the keeper ended with $said; starting it again" >&2 &
  look_at_clock
  if [ $((now - begun)) -lt 2 ]; then short=$((short + 1)); else short=0; fi
  # At once; but what ends at once for the third time in a row, haste does not cure.
  seconds=$((short > 8 ? 30 : short > 2 ? (short - 2) * 5 - 4 : 0))
  [ "$seconds" = 0 ] && continue
  sleep "$seconds" &
  pause=$!
  [ "$purpose" = keep ] && wait "$pause"
  kill "$pause" 2>/dev/null
  pause=
done
exit "$status"
