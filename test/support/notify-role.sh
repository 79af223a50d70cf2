# A command around a service (ExecStartPre=, a hook, …): notes whether it has a NOTIFY_SOCKET and its like, and says STATUS=ROLE when a file
# go-ROLE is there, to the address of the main process where it has none of its own. Arguments: ROLE DIRECTORY SENDER.
cd "$2" || exit 1
echo "${NOTIFY_SOCKET:+yes}" >"socket-$1"
echo "${WATCHDOG_USEC:+yes}" >"watchdog-$1"
echo "${LISTEN_FDS:+yes}" >"sockets-$1"
[ -n "${NOTIFY_SOCKET:-}" ] || [ ! -e address ] || export NOTIFY_SOCKET="$(cat address)"
if [ -z "${NOTIFY_SOCKET:-}" ]; then
  : >"heard-$1"
  exit 0
fi
exec /usr/bin/python3 "$3" "[{\"wait\":\"go-$1\"},{\"say\":\"STATUS=$1\"},{\"barrier\":\"heard-$1\"},{\"wait\":\"next-$1\"},{\"exit\":0}]"
