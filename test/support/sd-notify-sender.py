# A service that says what it is told to, by sendmsg(2) to NOTIFY_SOCKET: also what no library would send. Its argument is a
# list in JSON of what to do, one after another; at the end it sleeps.
#
#   {"say": TEXT, "fds": N, "times": N}   a message, each character of TEXT one byte, with N descriptors of /dev/null;
#                                         MAINPID in a child stands for that with its own pid
#   {"barrier": PATH, "with": TEXT}       BARRIER=1 with the end of a pipe; "heard" is written to PATH when the keeper has closed it
#   {"store": TEXT, "content": TEXT}      the message with a memory file of that content
#   {"pidfd": PID or null}                MAINPIDFD=1 with a pidfd of that process, or of a new child
#   {"fork": [...], "session": true}      a child does that and sleeps; it is waited for until it has done it
#   {"fork": [...], "named": true}        and then it is named as the main process, by this one
#   {"brief": [...]}                      a child does that and ends at once, and nobody asks how
#   {"tell": PATH}                        a line with the pid is written to PATH
#   {"report": [NAME, ...]}               STATUS with these variables and the pid
#   {"wait": PATH}                        until there is such a file
#   {"sleep": SECONDS}
#   {"every": SECONDS, "say": TEXT}       from now on
#   {"hup": [...]}                        what is to be done at each SIGHUP
#   {"reloading": SECONDS}                RELOADING=1 with a moment that lies so far in the past
#   {"exit": CODE}
import array, json, os, select, signal, socket, sys, time

address = os.environ['NOTIFY_SOCKET']
if address.startswith('@'):
    address = '\0' + address[1:]
to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


def send(text, fds=()):
    extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else []
    to.sendmsg([text.encode('latin-1')], extra, 0, address)


def say(text, fds=0, times=1):
    null = os.open('/dev/null', os.O_RDONLY)
    for _ in range(times):
        send(text, [null] * fds)
    os.close(null)


def write(path, line):
    with open(path + '.new', 'w') as file:
        file.write(line + '\n')
    os.rename(path + '.new', path)


def barrier(path, text):
    heard, asked = os.pipe2(os.O_CLOEXEC)
    send(text, [asked])
    os.close(asked)
    poll = select.poll()
    poll.register(heard, select.POLLHUP)
    write(path, 'heard' if poll.poll(30000) else 'not heard')


def child(steps, session, brief):
    read, ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        if session:
            os.setsid()
        for step in steps:
            if step.get('say') == 'MAINPID':
                step['say'] = 'MAINPID=' + str(os.getpid())
        do(steps)
        if brief:
            os._exit(0)
        os.write(ready, b'.')
        time.sleep(600)
        os._exit(0)
    os.close(ready)
    os.read(read, 1)
    os.close(read)
    return pid


def do(steps):
    for step in steps:
        if 'every' in step:
            while True:
                send(step['say'])
                time.sleep(step['every'])
        elif 'say' in step:
            say(step['say'], step.get('fds', 0), step.get('times', 1))
        elif 'barrier' in step:
            barrier(step['barrier'], step.get('with', 'BARRIER=1'))
        elif 'store' in step:
            fd = os.memfd_create('kept')
            os.write(fd, step['content'].encode())
            send(step['store'], [fd])
            os.close(fd)
        elif 'pidfd' in step:
            pid = step['pidfd']
            if pid is None:
                pid = os.fork()
                if pid == 0:
                    time.sleep(600)
                    os._exit(0)
            fd = os.pidfd_open(pid)
            send('MAINPIDFD=1', [fd])
            os.close(fd)
        elif 'fork' in step:
            pid = child(step['fork'], step.get('session', False), False)
            if step.get('named'):
                send('MAINPID=' + str(pid))
        elif 'brief' in step:
            child(step['brief'], False, True)
        elif 'tell' in step:
            write(step['tell'], str(os.getpid()))
        elif 'report' in step:
            names = ' '.join(name + '=' + os.environ.get(name, '') for name in step['report'])
            send('STATUS=' + names + ' pid=' + str(os.getpid()))
        elif 'wait' in step:
            while not os.path.exists(step['wait']):
                time.sleep(0.02)
        elif 'sleep' in step:
            time.sleep(step['sleep'])
        elif 'hup' in step:
            signal.signal(signal.SIGHUP, lambda *_, steps=step['hup']: do(steps))
        elif 'reloading' in step:
            usec = int((time.clock_gettime(time.CLOCK_MONOTONIC) - step['reloading']) * 1e6)
            send('RELOADING=1\nMONOTONIC_USEC=' + str(usec))
        elif 'exit' in step:
            os._exit(step['exit'])


signal.signal(signal.SIGTERM, signal.SIG_DFL)
do(json.loads(sys.argv[1]))
time.sleep(600)
