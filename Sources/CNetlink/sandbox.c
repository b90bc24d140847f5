#define _GNU_SOURCE
#include "cnl_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

// Between fork and exec of a program with threads only async-signal-safe calls are allowed: everything that
// needs memory is prepared before.
struct launch {
  char **arguments;
  char *environment[3];
  const char *folder;
  int console, channel, control;
};

static void close_from(unsigned first) { syscall(SYS_close_range, first, ~0u, 0); }

/// A guest is 2.5 to 4 times faster on one processor, because its kernel and its processes take turns at every
/// system call. Takes one that no other keeper has locked; the lock ends with the keeper.
static void pin_to_one_processor(void) {
  cpu_set_t allowed, chosen;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  int fallback = getpid() % CPU_COUNT(&allowed), seen = 0;
  CPU_ZERO(&chosen);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    if (seen++ == fallback) {
      CPU_ZERO(&chosen);
      CPU_SET(cpu, &chosen);
    }
    char path[64];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d", cpu);
    int lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0) continue;
    if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
      CPU_ZERO(&chosen);
      CPU_SET(cpu, &chosen);
      break;
    }
    close(lock);
  }
  sched_setaffinity(0, sizeof chosen, &chosen);
}

static void exec_kernel(const struct launch *launch) {
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setpgid(0, 0);
  // Should somebody kill even the keeper: on SIGTERM a kernel ends its helpers itself.
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  dup2(launch->console, STDOUT_FILENO);
  dup2(launch->console, STDERR_FILENO);
  if (launch->channel >= 0 && dup2(launch->channel, 3) < 0) _exit(126);
  close_from(launch->channel >= 0 ? 4 : 3);
  execve(launch->arguments[0], launch->arguments, launch->environment);
  dprintf(STDERR_FILENO, "%s: %s\n", launch->arguments[0], strerror(errno));
  _exit(126);
}

/// Sends SIGKILL to each child of this process, some of which may have left the kernel's process group.
static void kill_children(void) {
  char list[4096];
  int file = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  ssize_t length = read(file, list, sizeof list - 1);
  close(file);
  if (length <= 0) return;
  list[length] = 0;
  for (char *at = list, *end; *at; at = end) {
    pid_t child = (pid_t)strtol(at, &end, 10);
    if (end == at) break;
    kill(child, SIGKILL);
  }
}

static void keep(const struct launch *launch, pid_t parent) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  signal(SIGCHLD, SIG_DFL);
  setsid();
  prctl(PR_SET_NAME, "netlab-keeper");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  int null = open("/dev/null", O_RDWR);
  for (int standard = 0; standard < 3; standard++) dup2(null, standard);
  pin_to_one_processor();
  pid_t kernel = fork();
  if (kernel == 0) exec_kernel(launch);
  close(launch->console);
  if (launch->channel >= 0) close(launch->channel);

  int ended = (int)syscall(SYS_pidfd_open, kernel, 0);
  struct pollfd events[] = {{.fd = launch->control, .events = POLLIN}, {.fd = ended, .events = POLLIN}};
  while (poll(events, 2, -1) < 0 && errno == EINTR) continue;

  kill(-kernel, SIGKILL);
  // What the kernel leaves behind becomes the keeper's child, so this ends when nothing is left.
  do kill_children();
  while (waitpid(-1, NULL, 0) > 0);
  if (getppid() != parent) execl("/bin/rm", "rm", "-rf", "--", launch->folder, (char *)NULL);
  _exit(0);
}

static char **split(const char *strings, size_t size) {
  size_t count = 0, index = 0;
  for (size_t at = 0; at < size; at++) count += strings[at] == 0;
  char **list = calloc(count + 1, sizeof *list);
  for (size_t at = 0; list && at < size; at += strlen(strings + at) + 1) list[index++] = (char *)strings + at;
  return list;
}

pid_t cnl_sandbox_start(const char *arguments, size_t size, const char *folder, const char *memory_folder,
                        int console, int channel, int *control) {
  char temporary[4096];
  snprintf(temporary, sizeof temporary, "TMPDIR=%s", memory_folder);
  int ends[2];
  struct launch launch = {
      .arguments = split(arguments, size),
      .environment = {temporary, "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL},
      .folder = folder,
  };
  if (!launch.arguments || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    free(launch.arguments);
    return -1;
  }
  // Above the descriptors the kernel gets, so that putting those in place cannot overwrite one.
  launch.console = fcntl(console, F_DUPFD_CLOEXEC, 10);
  launch.channel = channel < 0 ? -1 : fcntl(channel, F_DUPFD_CLOEXEC, 10);
  launch.control = fcntl(ends[1], F_DUPFD_CLOEXEC, 10);

  pid_t parent = getpid(), keeper = fork();
  if (keeper == 0) {
    // The keeper must hold nothing of its parent's, least of all the other end of a control socket.
    int kept[] = {launch.console, launch.channel, launch.control};
    int limit = 0;
    for (int index = 0; index < 3; index++) limit = kept[index] > limit ? kept[index] : limit;
    for (int descriptor = 3; descriptor < limit; descriptor++)
      if (descriptor != kept[0] && descriptor != kept[1] && descriptor != kept[2]) close(descriptor);
    close_from((unsigned)limit + 1);
    keep(&launch, parent);
  }
  int failure = errno;
  close(launch.console);
  if (launch.channel >= 0) close(launch.channel);
  close(launch.control);
  close(ends[1]);
  free(launch.arguments);
  if (keeper < 0) close(ends[0]);
  else *control = ends[0];
  errno = failure;
  return keeper;
}

void cnl_sandbox_stop(pid_t keeper, int control) {
  shutdown(control, SHUT_RDWR);
  while (waitpid(keeper, NULL, 0) < 0 && errno == EINTR) continue;
  close(control);
}

int cnl_sandbox_open_terminal(int *guest_end) {
  int near_end;
  struct termios raw;
  if (openpty(&near_end, guest_end, NULL, NULL, NULL) != 0) return -1;
  fcntl(near_end, F_SETFD, FD_CLOEXEC);
  fcntl(*guest_end, F_SETFD, FD_CLOEXEC);
  tcgetattr(*guest_end, &raw);
  cfmakeraw(&raw);
  tcsetattr(*guest_end, TCSANOW, &raw);
  return near_end;
}

void cnl_sandbox_copy_window_size(int from, int to) {
  struct winsize size;
  if (ioctl(from, TIOCGWINSZ, &size) == 0) ioctl(to, TIOCSWINSZ, &size);
}
