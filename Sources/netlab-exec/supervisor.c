// Supervisors: the parent of a command, to which all fall that the command leaves behind. So it knows when all of it is gone,
// and reaches what has gone into a session of its own.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper.h"

static int64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void become_supervisor(void) { prctl(PR_SET_CHILD_SUBREAPER, 1); }

/// What is known of the child and of all that it left.
struct family {
  pid_t child;
  int status, keeper;
  bool child_ended, may_fork_away, dying;
};

/// Tells the keeper that the child is none that can be named any more, though something of it lives.
static void say_it_forked_away(const struct family *family) {
  pid_t nobody = 0;
  send(family->keeper, &nobody, sizeof nobody, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/// Takes in who has ended; returns when no more have, and ends this process when nobody is left.
static void reap(struct family *family) {
  for (;;) {
    int status;
    pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended < 0) _exit(end_like(family->status));
    if (ended == 0) return;
    // One that forks away has done well; how it goes on is for those to say whom it left.
    if (ended == family->child || (family->child_ended && family->may_fork_away && family->status == 0))
      family->status = status;
    if (ended != family->child) continue;
    family->child_ended = true;
    if (status != 0 || !family->may_fork_away) family->dying = true;
    else say_it_forked_away(family);
  }
}

void supervise(pid_t child, int orders, bool may_fork_away) {
  // A signal for a process group is meant for the command.
  for (const int *ignored = (int[]){SIGINT, SIGQUIT, SIGTERM, SIGHUP, 0}; *ignored; ignored++) signal(*ignored, SIG_IGN);
  signal(SIGCHLD, SIG_DFL);
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_SETMASK, &children, NULL);
  struct pollfd set[] = {{signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK), POLLIN, 0}, {orders, POLLIN, 0}};
  struct family family = {.child = child, .keeper = orders, .may_fork_away = may_fork_away};
  int64_t deadline = INT64_MAX;
  for (;;) {
    struct signalfd_siginfo information;
    while (read(set[0].fd, &information, sizeof information) > 0) {}
    reap(&family);
    // Again whenever one of them has ended, as its children may have been found by nobody.
    if (family.dying) signal_descendants(SIGKILL);
    int64_t left = deadline - milliseconds();
    int wait = family.dying || deadline == INT64_MAX ? -1 : left > 0 ? (int)left : 0;
    int ready = poll(set, 2, wait);
    if (ready == 0) family.dying = true;
    if (ready <= 0 || !set[1].revents) continue;
    struct order order;
    if (recv(orders, &order, sizeof order, 0) == sizeof order) {
      signal_descendants(order.signal);
      // One that is stopped ends as well.
      if (order.signal != SIGKILL) signal_descendants(SIGCONT);
      deadline = milliseconds() + order.grace;
    } else {
      family.dying = true;
      set[1].fd = -1;
    }
  }
}
