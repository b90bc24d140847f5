// Those who start keepers, and who go into the worlds that these keep.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"

// MARK: - Starting a keeper

/// Becomes the parent of a keeper, which is process 1 of a PID namespace; an exit status.
static int beget_keeper(const char *path, int ready, int starter) {
  setsid();
  bool has_world = geteuid() != 0;
  int status = has_world ? make_world() : 0;
  if (status != 0) return status;
  if (unshare(CLONE_NEWPID) != 0) return fail("make", "a PID namespace");
  pid_t keeper = fork();
  if (keeper < 0) return fail("start", "a process");
  if (keeper > 0) return 0;
  // By way of higher ones, as each may have the other's number.
  int descriptors[] = {fcntl(ready, F_DUPFD, STARTER + 1), fcntl(starter, F_DUPFD, STARTER + 1)};
  dup2(descriptors[0], READY);
  dup2(descriptors[1], STARTER);
  close_range(STARTER + 1, ~0U, 0);
  if (has_world) execl("/proc/self/exe", "netlab-exec", "--world", "--keeper", path, NULL);
  else execl("/proc/self/exe", "netlab-exec", "--keeper", path, NULL);
  _exit(fail("run", "netlab-exec"));
}

/// Starts a keeper, which has no terminal, no parent and none of this process's files; waits until it can be reached.
static int start_keeper(const char *path, pid_t starter) {
  int ready[2], process = syscall(SYS_pidfd_open, starter, 0);
  if (process < 0) return fail("watch", "the process that starts a lab");
  if (pipe2(ready, O_CLOEXEC) != 0) return fail("make", "a pipe");
  pid_t child = fork();
  if (child < 0) return fail("start", "a process");
  if (child == 0) _exit(beget_keeper(path, ready[1], process));
  int result;
  while (waitpid(child, &result, 0) < 0 && errno == EINTR) {}
  close(ready[1]);
  close(process);
  char status = CANNOT_EXECUTE;
  if (!WIFEXITED(result) || WEXITSTATUS(result) != 0) {
    if (WIFEXITED(result)) status = WEXITSTATUS(result);
  } else {
    while (read(ready[0], &status, 1) < 0 && errno == EINTR) {}
  }
  close(ready[0]);
  return status;
}

/// Connects to the keeper at a path, and has the namespaces of its world if it has one: the socket, or a negated exit status.
/// If there is none one is started, for a process; without that (0) there must be one.
static int reach(const char *path, pid_t starter, int world[HANDED_OUT], int *count) {
  const char *name;
  int folder = open_private_folder(path, &name);
  if (folder < 0) return -CANNOT_EXECUTE;
  // One at a time starts a keeper.
  if (flock(folder, LOCK_EX) != 0) return -fail("lock the folder of", path);
  for (;;) {
    int server = connect_in(folder, name);
    if (server >= 0 && (*count = ask_world(server, world)) >= 0) {
      close(folder);
      return server;
    }
    // One that ended has removed its socket itself.
    if (server >= 0) close(server);
    else if (errno == ECONNREFUSED) unlinkat(folder, name, 0);
    else if (errno != ENOENT) return -fail("reach the keeper of the lab at", path);
    if (starter == 0) {
      fprintf(stderr,
              "netlab: the lab '%s' is not running any more: its keeper, the process that held it, has ended\n"
              "  `netlab up FILE` brings it up again.\n",
              name);
      return -LAB_WRONG;
    }
    int status = start_keeper(path, starter);
    if (status != 0) return -status;
  }
}

int found(const char *path, pid_t starter) {
  int world[HANDED_OUT], count;
  int server = reach(path, starter, world, &count);
  return server < 0 ? -server : 0;
}

// MARK: - Joining a world

static int enter_world(const int world[HANDED_OUT]) {
  static const int types[HANDED_OUT] = {[USER] = CLONE_NEWUSER, [MOUNTS] = CLONE_NEWNS, [NETWORK] = CLONE_NEWNET};
  char directory[PATH_MAX];
  if (!getcwd(directory, sizeof directory)) return fail("find", "the working directory");
  for (int i = USER; i <= NETWORK; i++) {
    if (setns(world[i], types[i]) != 0) return fail("enter", "the namespaces of the lab");
    close(world[i]);
  }
  // Entering a mount namespace leads to its root.
  return chdir(directory) == 0 ? 0 : fail("enter the directory", directory);
}

int join_world(const char *path, bool start) {
  int world[HANDED_OUT], count;
  int server = reach(path, start ? getpid() : 0, world, &count);
  if (server < 0) return -server;
  if (count != HANDED_OUT) {
    errno = EPROTO;
    return fail("find the world of the lab at", path);
  }
  int status = enter_world(world);
  if (status != 0) return status;
  // The keeper stays as long as the connection, which the command has to know, to hand it on to nobody.
  char reference[16];
  snprintf(reference, sizeof reference, "%d", server);
  fcntl(server, F_SETFD, 0);
  setenv("NETLAB_WORLD", reference, 1);
  setenv("NETLAB_KEEPER", path, 1);
  return 0;
}
