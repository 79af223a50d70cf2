# A service that keeps what it has to with its manager (FDSTORE=1), and finds it again at its next start. Its arguments: a file to
# which each run writes a line of JSON with what it was passed, what it does, and what that takes.
#
#   memory TEXT     a memory file of that content, named `state`, is stored by the first run, and only read by the later ones
#   stream          connections of the socket `http` are stored, each with how far it has come; each gets the numbers from 1 on,
#                   a line each, without an end. SIGTERM ends it between two lines
#   mem-handover    as cloudflare/shellflip does it (its pull request 9): an empty memory file is stored before READY=1, and
#                   filled at SIGUSR1, after STOPPING=1; then it ends with the exit code CODE
import array, json, os, select, signal, socket, sys, time

report, mode, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
address = os.environ['NOTIFY_SOCKET']
to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


def send(text, fds=()):
    extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else []
    to.sendmsg([text.encode()], extra, 0, address)


def store(name, fd):
    send('FDSTORE=1\nFDNAME=%s' % name, [fd])


def memory(content=b''):
    fd = os.memfd_create('state')
    os.pwrite(fd, content, 0)
    return fd


def listened():
    if os.environ.get('LISTEN_PID') != str(os.getpid()):
        return []
    return [(name, 3 + i) for i, name in enumerate(os.environ['LISTEN_FDNAMES'].split(':'))]


passed = listened()
found = {name: fd for name, fd in passed}


def text(fd):
    return os.pread(fd, 4096, 0).decode()


def tell(**more):
    with open(report, 'a') as file:
        file.write(json.dumps({'pid': os.getpid(), 'names': [name for name, _ in passed], **more}) + '\n')


def keep_memory(content):
    if 'state' not in found:
        store('state', memory(content.encode()))
    tell(state=text(found['state']) if 'state' in found else None)
    send('READY=1')
    signal.pause()


def hand_over(code):
    name = 'sf_mem_handover'
    state = text(found[name]) if name in found else ''
    generation = int(state[4:]) + 1 if state.startswith('SFST') else 0
    # The old one would be a second of that name.
    if name in found:
        send('FDSTOREREMOVE=1\nFDNAME=' + name)
    next_state = memory()
    store(name, next_state)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    tell(state=state, generation=generation)
    send('READY=1')
    signal.sigwait([signal.SIGUSR1])
    send('STOPPING=1')
    os.pwrite(next_state, b'SFST%d' % generation, 0)
    sys.exit(code)


def stream():
    ending = []
    signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
    listener = socket.socket(fileno=found['http'])
    listener.setblocking(False)
    # One file for how far all have come: 8 bytes for each connection, by the number in its name.
    if 'progress' in found:
        progress = found['progress']
    else:
        progress = memory()
        store('progress', progress)
    # Those that the last run ended with; each keeps its number for good.
    connections = {int(name[1:]): socket.socket(fileno=fd) for name, fd in passed if name.startswith('c')}
    tell(connections=len(connections))
    send('READY=1')
    while not ending:
        try:
            connection, _ = listener.accept()
            number = os.fstat(progress).st_size // 8
            os.pwrite(progress, (0).to_bytes(8, 'little'), number * 8)
            connection.setblocking(True)
            connections[number] = connection
            store('c%d' % number, connection.fileno())
        except BlockingIOError:
            pass
        for number, connection in connections.items():
            line = int.from_bytes(os.pread(progress, 8, number * 8), 'little') + 1
            connection.sendall(b'%d\n' % line)
            os.pwrite(progress, line.to_bytes(8, 'little'), number * 8)
        time.sleep(0.002)


if mode == 'memory':
    keep_memory(*rest)
elif mode == 'stream':
    stream()
else:
    hand_over(int(rest[0]))
