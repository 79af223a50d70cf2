/*
 * The service that the bench keeps up. Its first act is to read CLOCK_MONOTONIC; then it tells the bench and pauses.
 *
 *   stamp FIFO NAME            writes "S NAME PID NANOSECONDS" and waits for ever
 *   stamp FIFO:NAME SCRIPT     the same, as the interpreter of a "#!" line: a run script without a shell
 *   stamp FIFO NAME PIDFILE    the same, then becomes a daemon by two forks, writes PIDFILE and "D NAME PID NANOSECONDS"
 *
 * Linked statically and without libc's start-up, so that what is measured is the keeper and the kernel, not the loader.
 * Only raw system calls, because nothing of libc has been set up.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
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

static void begin(int argc, char **argv) {
  long at = nanoseconds();
  if (argc < 3) leave(2);
  const char *fifo = argv[1], *name = argv[2];
  for (char *c = argv[1]; *c; c++) {
    if (*c == ':') { *c = 0; name = c + 1; argc = 3; break; }
  }
  tell(fifo, 'S', name, at);
  if (argc > 3) become_daemon(fifo, name, argv[3]);
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
