// The start of a daemon: a supervisor, which starts the command and tells the keeper whether that went well.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"

struct rlimit descriptor_limit;
char *const *keeper_arguments;

static int64_t milliseconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int64_t monotonic_milliseconds(void) { return milliseconds(CLOCK_MONOTONIC); }
int64_t wall_milliseconds(void) { return milliseconds(CLOCK_REALTIME); }

static void restore_signals(void) {
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/// In the process that is to become the command. What fails is told to the supervisor.
static _Noreturn void run_command(const struct daemon *daemon, int report) {
  complaints = report;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setsid();
  restore_signals();
  setrlimit(RLIMIT_NOFILE, &descriptor_limit);
  int status = enter_place(&daemon->place);
  if (status == 0 && chdir(daemon->directory) != 0) status = fail("enter the directory", daemon->directory);
  environ = daemon->environment;
  struct command command = daemon->command;
  _exit(status != 0 ? status : become_command(&command));
}

/// Has `ps` show the daemon's name, in place of the keeper's command line.
static void show_name(const char *name) {
  char *first = keeper_arguments[0], *end = first;
  for (char *const *argument = keeper_arguments; *argument; argument++) end = *argument + strlen(*argument);
  memset(first, 0, end - first);
  snprintf(first, end - first, "netlab-daemon %s", name);
}

static _Noreturn void run_supervisor(const struct daemon *daemon, int control) {
  enum { CONTROL = 3 };
  // Nothing of the keeper's stays open, or its clients would wait for the daemon. 0 is /dev/null.
  for (int stream = 1; stream < 3; stream++) dup2(daemon->output[1], stream);
  dup3(control, CONTROL, O_CLOEXEC);
  close_range(CONTROL + 1, ~0U, 0);
  prctl(PR_SET_NAME, "netlab-daemon");
  show_name(daemon->name);
  become_supervisor();
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) _exit(fail("make", "a pipe"));
  pid_t command = fork();
  if (command < 0) _exit(fail("start", "a process"));
  if (command == 0) run_command(daemon, report[1]);
  close(report[1]);
  struct launch_report outcome = {.process = command};
  size_t length = 0;
  // The pipe closes when the command has become what it is to be.
  for (ssize_t more; (more = read(report[0], outcome.text + length, sizeof outcome.text - 1 - length)) != 0;) {
    if (more > 0) length += more;
    if (more < 0 && errno != EINTR) break;
  }
  close(report[0]);
  send(CONTROL, &outcome, sizeof outcome, MSG_NOSIGNAL);
  supervise(command, CONTROL, true);
}

int launch_daemon(struct daemon *daemon) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  pid_t supervisor = fork();
  if (supervisor == 0) {
    // Where CONTROL's number is in use by the socket itself, dup3 would do nothing.
    int control = fcntl(ends[1], F_DUPFD, 4);
    run_supervisor(daemon, control);
  }
  int error = errno;
  close(ends[1]);
  if (supervisor < 0) {
    close(ends[0]);
    errno = error;
    return -1;
  }
  daemon->supervisor = supervisor;
  daemon->control = ends[0];
  daemon->state = STARTING;
  daemon->started = wall_milliseconds();
  daemon->since = monotonic_milliseconds();
  daemon->process = 0;
  return 0;
}
