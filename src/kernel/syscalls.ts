// The system calls that Node does not offer, through koffi on the C library. Owns numbers, structure sizes and
// errors. It must not know what the calls are for: no services, no policy, no state.

import { constants } from 'node:os';
import koffi from 'koffi';

/** The C library. Only files of this folder may look further symbols up in it. */
export const libc = koffi.load('libc.so.6');

const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/** `ENOENT` for 2; `E999` for a number that has no name here. */
export const errnoName = (errno: number): string => ERRNO_NAMES.get(errno) ?? `E${errno}`;

/** The errno of the call just made, as a name. Only meaningful directly after a call that failed. */
export const lastErrno = (): string => errnoName(koffi.errno());

/** A system call that failed: which, how, and on what. */
export class SystemCallFailure extends Error {
  readonly call: string;
  /** Like ENOENT. */
  readonly errno: string;
  /** The path, pid or descriptor it was about. */
  readonly object: string;

  constructor(call: string, errno: string, object: string) {
    super(`${call} ${object}: ${errno}`);
    this.name = 'SystemCallFailure';
    this.call = call;
    this.errno = errno;
    this.object = object;
  }
}

/** The result of a call, as a number. @throws SystemCallFailure when it is negative. */
function must(call: string, object: string | number, result: number | bigint): number {
  const n = Number(result);
  if (n < 0) throw new SystemCallFailure(call, lastErrno(), String(object));
  return n;
}

// Fixed arguments instead of `...`: Linux passes both alike on x86_64 and arm64, and koffi is quicker so.
const syscall = libc.func('long syscall(long n, long a, long b, long c, long d, long e, long f)');
const syscallWaitid = libc.func('syscall', 'long', ['long', 'long', 'long', 'void *', 'long', 'void *']);

// The same numbers on every architecture since 5.0; waitid is older and differs.
const NR = {
  pidfdSendSignal: 424,
  pidfdOpen: 434,
  closeRange: 436,
  pidfdGetfd: 438,
  waitid: process.arch === 'x64' ? 247 : 95,
  tgkill: process.arch === 'x64' ? 234 : 131,
};

// ---- processes ----

/** A descriptor (close-on-exec) for this process. @throws SystemCallFailure: ESRCH gone, ENOSYS before 5.3, EMFILE. */
export function pidfdOpen(pid: number): number {
  return must('pidfd_open', pid, syscall(NR.pidfdOpen, pid, 0, 0, 0, 0, 0));
}

/** Signal number `signal` to the process of this descriptor, whoever has its pid now. @throws SystemCallFailure */
export function pidfdSendSignal(pidfd: number, signal: number): void {
  must('pidfd_send_signal', pidfd, syscall(NR.pidfdSendSignal, pidfd, signal, 0, 0, 0, 0));
}

/** A copy (close-on-exec) of what that process has open under this number. @throws SystemCallFailure: EBADF nothing, EPERM we may not trace it, ESRCH gone, ENOSYS before 5.6, EMFILE. */
export function pidfdGetfd(pidfd: number, fd: number): number {
  return must('pidfd_getfd', fd, syscall(NR.pidfdGetfd, pidfd, fd, 0, 0, 0, 0));
}

const ckill = libc.func('int kill(int pid, int signal)');
/** kill(2), negative pids included: the caller answers for what it aims at. @throws SystemCallFailure */
export function kill(pid: number, signal: number): void {
  must('kill', pid, ckill(pid, signal));
}

/** Is there a process, or with a negative number a group, zombies included? Also one that we may not signal. Without an exception: "no" is the common answer. */
export function exists(target: number): boolean {
  return Number(ckill(target, 0)) === 0 || lastErrno() !== 'ESRCH';
}

/** Is this the number of a whole process, zombies included? No: a thread's, or nobody's. A fiftieth of the price of a look at /proc. */
export const isWholeProcess = (pid: number): boolean =>
  Number(syscall(NR.tgkill, pid, pid, 0, 0, 0, 0)) === 0 || lastErrno() !== 'ESRCH';

/** How a child ended: `code` 1 exited, 2 killed, 3 dumped core; `status` the code or the signal. */
export interface Reaped {
  readonly pid: number;
  readonly code: number;
  readonly status: number;
  /** Bytes: ru_maxrss, of the child alone. */
  readonly peakMemory: number;
  /** Milliseconds of processor, user and system, its waited-for children included. */
  readonly cpuTime: number;
}

export const P_PID = 1;
export const P_PIDFD = 3;
const WNOHANG = 1;
const WEXITED = 4;
const siginfo = Buffer.alloc(128);
const rusage = Buffer.alloc(144);

/** Takes the status of one ended child of ours; null while it lives. The raw call, because only it gives the rusage. @throws SystemCallFailure: ECHILD when it is no child of ours. */
export function reap(idType: number, id: number): Reaped | null {
  siginfo.fill(0, 0, 32);
  must('waitid', id, syscallWaitid(NR.waitid, idType, id, siginfo, WEXITED | WNOHANG, rusage));
  const pid = siginfo.readInt32LE(16);
  if (pid === 0) return null;
  const milliseconds = (at: number): number =>
    Number(rusage.readBigInt64LE(at)) * 1000 + Number(rusage.readBigInt64LE(at + 8)) / 1000;
  return {
    pid,
    code: siginfo.readInt32LE(8),
    status: siginfo.readInt32LE(24),
    peakMemory: Number(rusage.readBigInt64LE(32)) * 1024,
    cpuTime: milliseconds(0) + milliseconds(16),
  };
}

const cprctl = libc.func('int prctl(int option, ulong a, ulong b, ulong c, ulong d)');
/** @throws SystemCallFailure */
export function prctl(option: number, argument: number): number {
  return must('prctl', option, cprctl(option, argument, 0, 0, 0));
}

const INFINITY = 0xffffffffffffffffn;
const raw = (n: number | null | undefined): bigint => (typeof n === 'number' ? BigInt(n) : INFINITY);
const cprlimit = libc.func('int prlimit64(int pid, int resource, void *value, void *old)');
/** Soft and hard value; null is no limit. */
export interface RawLimit {
  readonly soft: number | null;
  readonly hard: number | null;
}
/** Reads and, with `value`, sets a resource limit (pid 0: our own); the answer is what was in force before. @throws SystemCallFailure */
export function prlimit(pid: number, resource: number, value: RawLimit | null): RawLimit {
  const old = Buffer.alloc(16);
  const set = value === null ? null : Buffer.alloc(16);
  set?.writeBigUInt64LE(raw(value?.soft), 0);
  set?.writeBigUInt64LE(raw(value?.hard), 8);
  must('prlimit', resource, cprlimit(pid, resource, set, old));
  const read = (at: number): number | null => {
    const n = old.readBigUInt64LE(at);
    return n === INFINITY ? null : Number(n);
  };
  return { soft: read(0), hard: read(8) };
}

const csetpriority = libc.func('int setpriority(int which, uint who, int value)');
const cgetpriority = libc.func('int getpriority(int which, uint who)');
/** Our own nice value. */
export const getNice = (): number => Number(cgetpriority(0, 0));
/** @throws SystemCallFailure: EACCES when an unprivileged keeper asks for a lower value. */
export function setNice(value: number): void {
  must('setpriority', value, csetpriority(0, 0, value));
}

const cgetpgid = libc.func('int getpgid(int pid)');
/** @throws SystemCallFailure: ESRCH */
export const getpgid = (pid: number): number => must('getpgid', pid, cgetpgid(pid));

// ---- descriptors ----

export const O_RDONLY = 0;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;

const copen = libc.func('int open(str path, int flags, uint mode)');
/** Close-on-exec always. @throws SystemCallFailure */
export function open(path: string, flags: number, mode = 0): number {
  return must('open', path, copen(path, flags | O_CLOEXEC, mode));
}

/** Like `open` for reading, but null when it is not there or not for us: an exception costs twenty times the call. @throws SystemCallFailure: EMFILE, ENFILE */
export function openIfThere(path: string): number | null {
  const fd = Number(copen(path, O_RDONLY | O_CLOEXEC, 0));
  if (fd >= 0) return fd;
  const errno = lastErrno();
  if (errno === 'EMFILE' || errno === 'ENFILE') throw new SystemCallFailure('open', errno, path);
  return null;
}

const cclose = libc.func('int close(int fd)');
/** Never fails: a descriptor that is closed twice is the caller's mistake, and the kernel closes on EINTR too. */
export function close(fd: number): void {
  cclose(fd);
}

const cread = libc.func('long read(int fd, void *buffer, ulong length)');
/** Bytes read, 0 at the end. @throws SystemCallFailure: EAGAIN */
export function read(fd: number, buffer: Buffer, length = buffer.length): number {
  return must('read', fd, cread(fd, buffer, length));
}

const cwrite = libc.func('long write(int fd, void *buffer, ulong length)');
/** @throws SystemCallFailure */
export function write(fd: number, buffer: Buffer): number {
  return must('write', fd, cwrite(fd, buffer, buffer.length));
}

const cpipe2 = libc.func('int pipe2(void *fds, int flags)');
/** The read and the write end, close-on-exec. @throws SystemCallFailure: EMFILE */
export function pipe(flags = 0): readonly [number, number] {
  const fds = Buffer.alloc(8);
  must('pipe2', flags, cpipe2(fds, flags | O_CLOEXEC));
  return [fds.readInt32LE(0), fds.readInt32LE(4)];
}

const cfcntl = libc.func('int fcntl(int fd, int command, long argument)');
/** @throws SystemCallFailure */
export const fcntl = (fd: number, command: number, argument: number): number =>
  must('fcntl', fd, cfcntl(fd, command, argument));

const F_SETFD = 2;
const FD_CLOEXEC = 1;
/** No process that we start gets this descriptor. @throws SystemCallFailure: EBADF */
export const closeOnExec = (fd: number): number => fcntl(fd, F_SETFD, FD_CLOEXEC);
/** The same for a number that somebody named; `false`: no such descriptor is open. */
export const closeOnExecIfOpen = (fd: number): boolean => Number(cfcntl(fd, F_SETFD, FD_CLOEXEC)) >= 0;
/** It comes along when the program of this process is replaced. @throws SystemCallFailure: EBADF */
export const survivesExec = (fd: number): number => fcntl(fd, F_SETFD, 0);
const F_DUPFD_CLOEXEC = 1030;
/** A second descriptor of the same, close-on-exec, numbered `from` or above. @throws SystemCallFailure: EMFILE */
export const duplicate = (fd: number, from = 3): number => fcntl(fd, F_DUPFD_CLOEXEC, from);

const cfchmod = libc.func('int fchmod(int fd, uint mode)');
/** Permission bits. @throws SystemCallFailure */
export function fchmod(fd: number, mode: number): void {
  must('fchmod', fd, cfchmod(fd, mode));
}

const F_GETFL = 3;
const F_SETFL = 4;
/** Calls on it wait; `no`: they did so already. It is the open file's, not the descriptor's: whoever else has it is met too. @throws SystemCallFailure */
export function makeBlocking(fd: number): 'yes' | 'no' {
  const flags = fcntl(fd, F_GETFL, 0);
  if ((flags & O_NONBLOCK) === 0) return 'no';
  fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  return 'yes';
}

export const LOCK_EX = 2;
export const LOCK_NB = 4;
const cflock = libc.func('int flock(int fd, int operation)');
/** @throws SystemCallFailure: EWOULDBLOCK (named EAGAIN) when somebody else holds it */
export function flock(fd: number, operation: number): void {
  must('flock', fd, cflock(fd, operation));
}

const cioctl = libc.func('int ioctl(int fd, ulong request, void *argument)');
/** @throws SystemCallFailure */
export const ioctl = (fd: number, request: number, argument: Buffer): number =>
  must('ioctl', fd, cioctl(fd, request, argument));

/** Marks every descriptor from `first` up close-on-exec. @throws SystemCallFailure: ENOSYS, EINVAL before 5.11 */
export function closeOnExecFrom(first: number): void {
  must('close_range', first, syscall(NR.closeRange, first, 0xffffffff, 4, 0, 0, 0));
}

const ceventfd = libc.func('int eventfd(uint value, int flags)');
/** @throws SystemCallFailure */
export const eventfd = (): number => must('eventfd', 0, ceventfd(0, O_CLOEXEC | O_NONBLOCK));

// ---- epoll ----

export const EPOLLIN = 1;
export const EPOLLET = 0x80000000;
/** struct epoll_event is packed on x86_64 alone. */
export const EPOLL_EVENT_SIZE = process.arch === 'x64' ? 12 : 16;
export const EPOLL_DATA_OFFSET = process.arch === 'x64' ? 4 : 8;

const cepollCreate = libc.func('int epoll_create1(int flags)');
const cepollCtl = libc.func('int epoll_ctl(int epfd, int operation, int fd, void *event)');
const cepollWait = libc.func('int epoll_wait(int epfd, void *events, int max, int timeout)');
const epollEvent = Buffer.alloc(16);

/** @throws SystemCallFailure: EMFILE */
export const epollCreate = (): number => must('epoll_create1', 0, cepollCreate(O_CLOEXEC));

/** `key` (32 bits) comes back with each event. @throws SystemCallFailure: ENOSPC over fs.epoll.max_user_watches */
export function epollAdd(epfd: number, fd: number, events: number, key: number): void {
  epollEvent.writeUInt32LE(events >>> 0, 0);
  epollEvent.writeUInt32LE(key, EPOLL_DATA_OFFSET);
  epollEvent.writeUInt32LE(0, EPOLL_DATA_OFFSET + 4);
  must('epoll_ctl', fd, cepollCtl(epfd, 1, fd, epollEvent));
}

/** Never fails: what is not in the set is out of it. */
export function epollRemove(epfd: number, fd: number): void {
  cepollCtl(epfd, 2, fd, epollEvent);
}

/** Without waiting; 0 on EINTR. */
export const epollPoll = (epfd: number, events: Buffer): number =>
  Math.max(0, Number(cepollWait(epfd, events, Math.floor(events.length / EPOLL_EVENT_SIZE), 0)));

/** Waits on a thread of libuv's pool until something is ready: there are four of them, so one user only. */
export function epollWaitOffLoop(epfd: number, events: Buffer, done: (count: number) => void): void {
  cepollWait.async(epfd, events, Math.floor(events.length / EPOLL_EVENT_SIZE), -1, (error: unknown, n: unknown) =>
    done(error === null || error === undefined ? Math.max(0, Number(n)) : 0),
  );
}
