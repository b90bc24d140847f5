// Commands: what netlab-exec becomes in the end, and the containers in which some run.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"

// MARK: - Becoming a command

static int limit(int resource, rlim_t value) {
  struct rlimit old;
  if (value == 0) return 0;
  if (getrlimit(resource, &old) != 0) return -1;
  if (value > old.rlim_max) value = old.rlim_max;
  return setrlimit(resource, &(struct rlimit){value, value});
}

static int limit_resources(const struct command *command) {
  struct rlimit no_core = {0, 0};
  if (command->cpu && setrlimit(RLIMIT_CORE, &no_core) != 0) return -1;
  return limit(RLIMIT_CPU, command->cpu) || limit(RLIMIT_AS, command->memory)
         || limit(RLIMIT_FSIZE, command->file_size) || limit(RLIMIT_NPROC, command->processes);
}

int become_user(struct command *command) {
  if (command->user < 0) return 0;
  gid_t group = command->group;
  int death_signal = 0;
  prctl(PR_GET_PDEATHSIG, &death_signal);
  if (setgroups(1, &group) != 0 || setresgid(group, group, group) != 0
      || setresuid(command->user, command->user, command->user) != 0)
    return fail("become", "the user that runs the lab");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail("give up", "privileges");
  // Changing the user cleared it.
  prctl(PR_SET_PDEATHSIG, death_signal);
  command->user = -1;
  return 0;
}

int become_command(struct command *command) {
  const char *name = command->argv[0];
  int status = become_user(command);
  if (status != 0) return status;
  if (limit_resources(command) != 0) return fail("limit", name);
  execvp(name, command->argv);
  status = errno == ENOENT ? NOT_FOUND : CANNOT_EXECUTE;
  fail("run", name);
  return status;
}

// MARK: - Containing a command

int end_like(int status) {
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  signal(WTERMSIG(status), SIG_DFL);
  raise(WTERMSIG(status));
  return 128 + WTERMSIG(status);
}

/// Process 1 of the command's PID namespace: when it ends, the kernel kills all that is left in there.
static void run_init(pid_t command, int report) {
  int status;
  for (pid_t ended; (ended = wait(&status)) != command;) {
    if (ended < 0 && errno != EINTR) _exit(CANNOT_EXECUTE);
  }
  _exit(write(report, &status, sizeof status) == sizeof status ? 0 : CANNOT_EXECUTE);
}

int contain(void) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return fail("make", "a pipe");
  if (unshare(CLONE_NEWPID) != 0) return fail("make", "a PID namespace");
  // Signals meant for the command go to the whole process group: those in front of it must survive them.
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  pid_t init = fork();
  if (init < 0) return fail("start", "a process");
  if (init > 0) {
    close(report[1]);
    int status;
    ssize_t length;
    do length = read(report[0], &status, sizeof status);
    while (length < 0 && errno == EINTR);
    // The kernel lets an init be reaped only once all other processes of its namespace are gone.
    while (waitpid(init, NULL, 0) < 0 && errno == EINTR) {}
    _exit(length == sizeof status ? end_like(status) : 128 + SIGKILL);
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  close(report[0]);
  struct pollfd waiting = {.fd = report[1]};
  if (poll(&waiting, 1, 0) > 0) _exit(CANNOT_EXECUTE);  // Nobody reads: the parent died before prctl.
  pid_t command = fork();
  if (command < 0) return fail("start", "a process");
  if (command > 0) run_init(command, report[1]);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  return 0;
}
