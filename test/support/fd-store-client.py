# A service that stores descriptors with its manager, step by step: after each step it says STATUS=N and waits until there is a
# file `next-N` in its directory. Every descriptor is sent by sendmsg(2), as sd_pid_notify_with_fds(3) does. Its arguments:
# the directory, and a list in JSON of what to do:
#
#   {"files": N, "say": TEXT}           N memory files with that message
#   {"again": N, "say": TEXT}           the Nth descriptor that was sent, once more
#   {"pipe": NAME, "say": TEXT}         the reading end of a pipe
#   {"socket": NAME, "say": TEXT}       one end of a pair of sockets
#   {"hangUp": NAME}                    the end that was not sent is closed
#   {"say": TEXT}                       the message alone
#   {"fill": TEXT, "say": TEXT}         a memory file with that content
#   {"device": true, "say": TEXT}       /dev/null
#   {"open": PATH, "say": TEXT}          that file
#   {"event": true, "say": TEXT}        an eventfd
#   {"flood": N}                        N messages of a hostile service
#   {"report": PATH}                    what was passed: LISTEN_PID, LISTEN_FDNAMES, FDSTORE, and of each descriptor what it is
import array, json, os, socket, sys, time

directory, steps = sys.argv[1], json.loads(sys.argv[2])
address = os.environ['NOTIFY_SOCKET']
if address.startswith('@'):
    address = '\0' + address[1:]
to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sent, others = [], {}


def send(text, fds=()):
    extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else []
    to.sendmsg([text.encode('latin-1')], extra, 0, address)
    sent.extend(fds)


def memory(content=b''):
    fd = os.memfd_create('kept')
    os.write(fd, content)
    return fd


def write(path, text):
    with open(path + '.new', 'w') as file:
        file.write(text)
    os.rename(path + '.new', path)


def passed():
    names = os.environ.get('LISTEN_FDNAMES', '').split(':') if 'LISTEN_FDS' in os.environ else []
    what = []
    for i, name in enumerate(names):
        fd = 3 + i
        link = os.readlink('/proc/self/fd/%d' % fd)
        content = os.pread(fd, 4096, 0).decode() if link.startswith('/memfd:') else None
        what.append({'name': name, 'is': link.split(':')[0], 'content': content})
    return {'pid': os.environ.get('LISTEN_PID') == str(os.getpid()), 'count': os.environ.get('LISTEN_FDS'),
            'max': os.environ.get('FDSTORE'), 'passed': what}


def flood(count):
    null = os.open('/dev/null', os.O_RDONLY)
    file = memory()
    for i in range(count):
        dead, end = os.pipe()
        os.close(end)
        send('FDSTORE=1\nFDNAME=n%d' % (i % 5), [[file], [null] * 3, [dead], [file, null, dead]][i % 4])
        os.close(dead)
        if i % 7 == 0:
            send('FDSTOREREMOVE=1\nFDNAME=n%d' % (i % 3), [null])
    os.close(file)
    os.close(null)


for number, step in enumerate(steps):
    say = step.get('say')
    if 'files' in step:
        send(say, [memory() for _ in range(step['files'])])
    elif 'again' in step:
        send(say, [os.dup(sent[step['again']])])
    elif 'pipe' in step:
        end, others[step['pipe']] = os.pipe()
        send(say, [end])
        os.close(end)
    elif 'socket' in step:
        one, other = socket.socketpair()
        others[step['socket']] = other.detach()
        send(say, [one.fileno()])
        one.close()
    elif 'hangUp' in step:
        os.close(others.pop(step['hangUp']))
    elif 'fill' in step:
        send(say, [memory(step['fill'].encode())])
    elif 'device' in step:
        send(say, [os.open('/dev/null', os.O_RDONLY)])
    elif 'open' in step:
        send(say, [os.open(step['open'], os.O_RDWR | os.O_CREAT)])
    elif 'event' in step:
        send(say, [os.eventfd(0)])
    elif 'flood' in step:
        flood(step['flood'])
    elif 'report' in step:
        write(step['report'], json.dumps(passed()))
    else:
        send(say)
    send('STATUS=%d' % number)
    while not os.path.exists('%s/next-%d' % (directory, number)):
        time.sleep(0.005)
time.sleep(600)
