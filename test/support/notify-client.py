# A service that speaks to its manager as programs do that were written for systemd: by libsystemd itself, through ctypes. It says in
# STATUS, as JSON, what the library gave back.
import ctypes, json, os, time

lib = ctypes.CDLL('libsystemd.so.0')
names = ctypes.POINTER(ctypes.c_char_p)()
passed = lib.sd_listen_fds_with_names(0, ctypes.byref(names))
usec = ctypes.c_uint64()
watched = lib.sd_watchdog_enabled(0, ctypes.byref(usec))
listening = [lib.sd_is_socket(3 + i, 0, 1, 1) for i in range(passed)]

memory = os.memfd_create('kept')
os.write(memory, b'kept')
stored = lib.sd_pid_notify_with_fds(0, 0, b'FDSTORE=1\nFDNAME=kept', (ctypes.c_int * 1)(memory), 1)
barrier = lib.sd_notify_barrier(0, ctypes.c_uint64(20_000_000))
report = {
    'names': [names[i].decode() for i in range(passed)],
    'listening': listening,
    'watchdog': [watched, usec.value],
    'stored': stored,
    'barrier': barrier,
}
lib.sd_notify(0, b'READY=1\nSTATUS=' + json.dumps(report).encode())
while True:
    lib.sd_notify(0, b'WATCHDOG=1')
    time.sleep(1)
