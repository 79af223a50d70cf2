/*
 * The service that the bench keeps up. Its first act is to read CLOCK_MONOTONIC; then it tells the bench and pauses.
 *
 *   stamp FIFO NAME            writes "S NAME PID NANOSECONDS" and waits for ever
 *   stamp FIFO:NAME SCRIPT     the same, as the interpreter of a "#!" line: a run script without a shell
 *   stamp FIFO NAME PIDFILE    the same, then becomes a daemon by two forks, writes PIDFILE and "D NAME PID NANOSECONDS"
 *   stamp FIFO NAME =HOW       the same, then is ready, and writes "R NAME PID NANOSECONDS" of when it was:
 *                              =3 by a newline on descriptor 3, =/path by listening on that Unix socket, = by sd_notify
 *
 * Linked statically and without libc's start-up, so that what is measured is the keeper and the kernel, not the loader.
 * Only raw system calls, because nothing of libc has been set up; and one that fails ends it, because errno is not there.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static long nanoseconds(void) {
  struct timespec now;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000L + now.tv_nsec;
}

static char *word(char *to, const char *from) {
  while (*from) *to++ = *from++;
  return to;
}

static char *number(char *to, long value) {
  char digits[24];
  int n = 0;
  do { digits[n++] = (char)('0' + value % 10); value /= 10; } while (value);
  while (n) *to++ = digits[--n];
  return to;
}

static void tell(const char *fifo, char kind, const char *name, long at) {
  char line[256], *end = line;
  *end++ = kind; *end++ = ' ';
  end = word(end, name); *end++ = ' ';
  end = number(end, syscall(SYS_getpid)); *end++ = ' ';
  end = number(end, at); *end++ = '\n';
  long fd = syscall(SYS_openat, AT_FDCWD, fifo, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
  if (fd < 0) return;
  syscall(SYS_write, fd, line, end - line); /* less than PIPE_BUF: never mixed with another's line */
  syscall(SYS_close, fd);
}

static void pause_for_ever(void) {
  for (;;) syscall(SYS_ppoll, 0, 0, 0, 0, 0);
}

static void leave(int code) {
  for (;;) syscall(SYS_exit_group, code);
}

static void become_daemon(const char *fifo, const char *name, const char *pidfile) {
  if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) != 0) leave(0);
  syscall(SYS_setsid);
  if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) != 0) leave(0);
  char line[32], *end = number(line, syscall(SYS_getpid));
  *end++ = '\n';
  long fd = syscall(SYS_openat, AT_FDCWD, pidfile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  syscall(SYS_write, fd, line, end - line);
  syscall(SYS_close, fd);
  tell(fifo, 'D', name, nanoseconds());
}

/* The address of a path, or of an abstract name (systemd writes those with an @). */
static long address(struct sockaddr_un *to, const char *path) {
  char *bytes = (char *)to; /* no initializer: that would be a memset of libc's */
  for (volatile char *c = bytes; c < bytes + sizeof *to; c++) *c = 0;
  to->sun_family = AF_UNIX;
  char *end = word(to->sun_path, path);
  if (*path == '@') to->sun_path[0] = 0;
  return end - bytes;
}

static void listen_on(const char *path) {
  struct sockaddr_un to;
  long length = address(&to, path);
  long fd = syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  syscall(SYS_bind, fd, &to, length); /* what an earlier one left there, its keeper has cleaned */
  syscall(SYS_listen, fd, 16);
}

static void notify(char **environment) {
  static const char key[] = "NOTIFY_SOCKET=";
  for (; *environment; environment++) {
    const char *k = key, *e = *environment;
    while (*k && *k == *e) k++, e++;
    if (*k) continue;
    struct sockaddr_un to;
    long length = address(&to, e);
    long fd = syscall(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    syscall(SYS_sendto, fd, "READY=1", 7, 0, &to, length);
    syscall(SYS_close, fd);
    return;
  }
  leave(3);
}

static void become_ready(const char *fifo, const char *name, const char *how, char **environment) {
  long at = nanoseconds(); /* before it is said, so that nobody who waited for it can have started earlier */
  if (*how == '/') {
    listen_on(how);
    at = nanoseconds(); /* connections are accepted from here on */
  } else if (*how) {
    syscall(SYS_write, *how - '0', "\n", 1);
    syscall(SYS_close, *how - '0');
  } else {
    notify(environment);
  }
  tell(fifo, 'R', name, at);
}

static void begin(int argc, char **argv) {
  long at = nanoseconds();
  char **environment = argv + argc + 1;
  if (argc < 3) leave(2);
  const char *fifo = argv[1], *name = argv[2];
  for (char *c = argv[1]; *c; c++) {
    if (*c == ':') { *c = 0; name = c + 1; argc = 3; break; }
  }
  tell(fifo, 'S', name, at);
  if (argc > 3 && *argv[3] == '=') become_ready(fifo, name, argv[3] + 1, environment);
  else if (argc > 3) become_daemon(fifo, name, argv[3]);
  pause_for_ever();
}

__attribute__((used)) void begin_at(long *stack) { begin((int)stack[0], (char **)(stack + 1)); }

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call begin_at\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n  mov x0, sp\n  bl begin_at\n");
#else
#error "no start-up for this architecture; the bench falls back to stamp.pl"
#endif
