// The daemons of a lab: from their start to their end, and to their next start.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"

enum { SHORTEST_PAUSE = 100, LONGEST_PAUSE = 10000 };

struct daemon *find_daemon(const struct keeper *keeper, const char *name) {
  for (struct daemon *daemon = keeper->daemons; daemon; daemon = daemon->next)
    if (strcmp(daemon->name, name) == 0) return daemon;
  return NULL;
}

static void forget(struct keeper *keeper, struct daemon *daemon) {
  struct daemon **place = &keeper->daemons;
  while (*place != daemon) place = &(*place)->next;
  *place = daemon->next;
  keeper->daemon_count--;
  free_daemon(daemon);
}

static void append(struct keeper *keeper, struct daemon *daemon) {
  struct daemon **place = &keeper->daemons;
  while (*place) place = &(*place)->next;
  *place = daemon;
  keeper->daemon_count++;
}

unsigned start_daemon(struct keeper *keeper, const char *fields, size_t size, const char **problem) {
  *problem = "there are too many daemons already";
  if (keeper->daemon_count == DAEMON_LIMIT) return 0;
  struct daemon *daemon = read_daemon(fields, size, problem), *old = daemon ? find_daemon(keeper, daemon->name) : NULL;
  if (!daemon) return 0;
  if (old && old->state != ENDED) {
    *problem = "it runs already";
  } else if (launch_daemon(daemon) != 0) {
    *problem = strerror(errno);
  } else {
    if (old) forget(keeper, old);
    daemon->id = ++keeper->last_id;
    daemon->pause = SHORTEST_PAUSE;
    append(keeper, daemon);
    return daemon->id;
  }
  free_daemon(daemon);
  return 0;
}

bool stop_daemon(struct keeper *keeper, struct daemon *daemon) {
  if (daemon->state == PAUSING || daemon->state == ENDED) {
    forget(keeper, daemon);
    return false;
  }
  daemon->is_stopping = true;
  send(daemon->control, &daemon->stop, sizeof daemon->stop, MSG_NOSIGNAL | MSG_DONTWAIT);
  return true;
}

static bool is_to_restart(const struct daemon *daemon) {
  return daemon->restart == ALWAYS || (daemon->restart == ON_FAILURE && daemon->status != 0);
}

/// All of a daemon is gone.
static void finish(struct keeper *keeper, struct daemon *daemon, int status) {
  hear_supervisor(keeper, daemon);
  if (daemon->control >= 0) close(daemon->control);
  daemon->control = -1;
  // As much as a pipe can hold, and not more: whoever else has got hold of it might never stop.
  for (int i = 0; i < 32 && take_output(&daemon->log, daemon->output[0]); i++) {}
  daemon->supervisor = daemon->process = 0;
  daemon->status = status;
  daemon->ended = wall_milliseconds();
  bool never_ran = daemon->state == STARTING && daemon->restarts == 0;
  if (daemon->is_stopping || never_ran) {
    const char *reason = daemon->failure ? daemon->failure : "it was killed";
    answer_waiting(keeper, daemon->id, daemon->is_stopping ? "ok" : "error", daemon->is_stopping ? "" : reason);
    announce(keeper, daemon, "ended");
    forget(keeper, daemon);
  } else if (is_to_restart(daemon)) {
    int64_t now = monotonic_milliseconds();
    if (now - daemon->since >= LONGEST_PAUSE) daemon->pause = SHORTEST_PAUSE;
    daemon->due = now + daemon->pause;
    daemon->pause = daemon->pause * 2 < LONGEST_PAUSE ? daemon->pause * 2 : LONGEST_PAUSE;
    daemon->state = PAUSING;
    announce(keeper, daemon, "pausing");
  } else {
    daemon->state = ENDED;
    announce(keeper, daemon, "ended");
  }
}

void hear_supervisor(struct keeper *keeper, struct daemon *daemon) {
  struct launch_report report;
  ssize_t length = daemon->control < 0 ? -1 : recv(daemon->control, &report, sizeof report, MSG_DONTWAIT);
  if (length < 0 && errno == EAGAIN) return;
  // The command has forked away.
  if (length == sizeof report.process) {
    daemon->process = report.process;
    return;
  }
  // It has ended, or is about to, and will be reaped.
  if (length != sizeof report) {
    if (daemon->control >= 0) close(daemon->control);
    daemon->control = -1;
    return;
  }
  daemon->process = report.process;
  report.text[strcspn(report.text, "\n")] = 0;
  if (*report.text) {
    // Words for the log, too: after a restart nobody is there to be told. The others are told when it is gone.
    dprintf(daemon->output[1], "%s\n", report.text);
    free(daemon->failure);
    daemon->failure = strdup(report.text);
    return;
  }
  daemon->state = RUNNING;
  char process[16];
  snprintf(process, sizeof process, "%d", daemon->process);
  if (!daemon->is_stopping) answer_waiting(keeper, daemon->id, "ok", process);
  if (daemon->restarts > 0) announce(keeper, daemon, "restarted");
}

static struct daemon *supervised_by(const struct keeper *keeper, pid_t supervisor) {
  struct daemon *daemon = keeper->daemons;
  while (daemon && daemon->supervisor != supervisor) daemon = daemon->next;
  return daemon;
}

void reap_all(struct keeper *keeper) {
  siginfo_t ended = {0};
  while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid > 0) {
    struct daemon *daemon = supervised_by(keeper, ended.si_pid);
    // A command asks for being adopted before it begins: by now it has, even if that was not heard yet.
    if (!daemon) serve_all_clients(keeper);
    int status;
    waitpid(ended.si_pid, &status, 0);
    if (daemon) finish(keeper, daemon, status);
    else report_command(keeper, ended.si_pid, status);
    ended.si_pid = 0;
  }
}

int restart_due(struct keeper *keeper) {
  int64_t next = INT64_MAX, now = monotonic_milliseconds();
  for (struct daemon *daemon = keeper->daemons; daemon; daemon = daemon->next) {
    if (daemon->state != PAUSING) continue;
    if (daemon->due <= now) {
      daemon->restarts++;
      // The kernel may have something to start it with later.
      if (launch_daemon(daemon) == 0) continue;
      daemon->due = now + LONGEST_PAUSE;
    }
    if (daemon->due < next) next = daemon->due;
  }
  return next == INT64_MAX ? -1 : (int)(next - now);
}
