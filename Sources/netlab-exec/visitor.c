// Visitors: commands that run among the processes of a lab, and those who sent them there.
//
// Only children can be in another PID namespace, and the namespace does not end before the last of its processes is reaped.
// So the command is no child of the process that was asked for it, which anybody can stop: its parent has ended, and the
// keeper reaps it and tells how it ended.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper.h"

// MARK: - The command's side

/// In the process that is to become the command: goes to its place, when the keeper and the sender have been told.
static int settle(int server, pid_t sender, int orders, const struct place *place, bool contained) {
  char request[64];
  int size = snprintf(request, sizeof request, "adopt%c%d%c%d%c%s", 0, getpid(), 0, sender, 0, contained ? "contained" : "");
  if (send_message(server, request, size + 1, NULL, 0, 0) != 0) return fail("run a command in", "the lab");
  if (write(orders, "", 1) != 1) return CANNOT_EXECUTE;
  close(server);
  int status = enter_place(place);
  if (status == 0 && contained) {
    become_supervisor();
    pid_t command = fork();
    if (command < 0) return fail("start", "a process");
    if (command > 0) {
      // What kills the command's process group is to leave it here. The sender's end is an order to end.
      setsid();
      supervise(command, orders, false);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
  }
  close(orders);
  return status;
}

// MARK: - The sender's side

/// Has the children of this process be in the PID namespace of the keeper at the other end.
static int enter_processes(int server) {
  struct ucred keeper;
  socklen_t size = sizeof keeper;
  struct pollfd connection = {server, 0, 0};
  if (getsockopt(server, SOL_SOCKET, SO_PEERCRED, &keeper, &size) != 0) return -1;
  int process = syscall(SYS_pidfd_open, keeper.pid, 0);
  if (process < 0) return -1;
  // As long as the connection is there, so is the keeper, and nobody else has its number.
  errno = ECONNRESET;
  int result = poll(&connection, 1, 0) == 0 ? setns(process, CLONE_NEWPID) : -1;
  close(process);
  return result;
}

/// Waits for the end of the command, and ends like it. Signals from the terminal are for the command, which gets them as well;
/// others are handed on to it if `forwards` says so.
static _Noreturn void follow(int server, int signals, bool forwards) {
  struct pollfd set[] = {{server, POLLIN, 0}, {signals, POLLIN, 0}};
  for (;;) {
    if (poll(set, 2, -1) < 0) continue;
    struct signalfd_siginfo information;
    if (set[1].revents && read(signals, &information, sizeof information) == sizeof information && forwards
        && information.ssi_code <= 0) {
      char request[32];
      int size = snprintf(request, sizeof request, "signal%c%u", 0, information.ssi_signo);
      send_message(server, request, size + 1, NULL, 0, MSG_DONTWAIT);
    }
    if (!set[0].revents) continue;
    char answer[64] = "";
    ssize_t length = recv(server, answer, sizeof answer - 1, 0);
    if (length < 0 && errno == EINTR) continue;
    // Without its keeper, a lab and all in it is gone.
    if (length <= 0) _exit(128 + SIGKILL);
    _exit(strcmp(answer, "ended") == 0 ? end_like(atoi(answer + sizeof "ended")) : CANNOT_EXECUTE);
  }
}

static int send_signals_to_descriptor(void) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int *taken = (int[]){SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, 0}; *taken; taken++)
    sigaddset(&signals, *taken);
  sigprocmask(SIG_BLOCK, &signals, NULL);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

int visit(const char *path, const struct place *place, bool contained, bool forwards_signals) {
  const char *name;
  int folder = open_private_folder(path, &name);
  if (folder < 0) return CANNOT_EXECUTE;
  int server = connect_in(folder, name);
  if (server < 0) return fail("reach the keeper of the lab at", path);
  close(folder);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return fail("make", "a socket");
  if (enter_processes(server) != 0) return fail("enter the PID namespace of the lab at", path);
  // The one in between is reaped by the kernel, also while this process is stopped.
  void (*old)(int) = signal(SIGCHLD, SIG_IGN);
  pid_t self = getpid(), between = fork();
  if (between < 0) return fail("start", "a process");
  if (between == 0) {
    pid_t command = fork();
    if (command != 0) _exit(command > 0 ? 0 : fail("start", "a process"));
    signal(SIGCHLD, old);
    close(ends[0]);
    return settle(server, self, ends[1], place, contained);
  }
  close(ends[1]);
  int signals = send_signals_to_descriptor();
  char go;
  if (read(ends[0], &go, 1) != 1) _exit(CANNOT_EXECUTE);
  // Its streams are the command's alone, which may close them.
  for (int stream = 0; stream < 3; stream++) close(stream);
  follow(server, signals, forwards_signals);
}
