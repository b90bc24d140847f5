#define _GNU_SOURCE
#include "cnl_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

static int64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/// Waits for something to happen to a descriptor, until a moment; 0, or ETIMEDOUT.
static int wait_until(int fd, short events, int64_t deadline) {
  struct pollfd one = {fd, events, 0};
  for (;;) {
    int64_t left = deadline - milliseconds();
    int ready = poll(&one, 1, left <= 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX);
    if (ready > 0) return 0;
    if (ready < 0 && errno != EINTR) return -1;
    if (ready == 0 && left <= 0) {
      errno = ETIMEDOUT;
      return -1;
    }
  }
}

// MARK: - Starting one

static pid_t spawn(const char *helper, const char *path, int errors) {
  char parent[16];
  snprintf(parent, sizeof parent, "%d", getpid());
  char *arguments[] = {"netlab-exec", "--parent", parent, "--found", (char *)path, NULL};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, errors, 2);
  pid_t child;
  errno = posix_spawn(&child, helper, &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  return errno == 0 ? child : -1;
}

int cnl_keeper_found(const char *helper, const char *path, char *message, size_t size, int limit) {
  int64_t deadline = milliseconds() + limit;
  int ends[2], status = 0;
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  pid_t child = spawn(helper, path, ends[1]);
  cnl_close(ends[1]);
  size_t length = 0;
  ssize_t more = child < 0 ? -1 : 1;
  while (more > 0 && length + 1 < size) {
    more = wait_until(ends[0], POLLIN, deadline) == 0 ? read(ends[0], message + length, size - 1 - length) : -1;
    if (more > 0) length += more;
  }
  message[length] = 0;
  int error = errno;
  close(ends[0]);
  if (child > 0 && more < 0) kill(child, SIGKILL);
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  errno = error;
  if (more < 0) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// MARK: - Talking to one

int cnl_keeper_connect(const char *path) {
  // By way of its folder, as an address has room for a short path alone.
  const char *slash = strrchr(path, '/');
  char folder_path[PATH_MAX];
  if (!slash || slash - path >= PATH_MAX) {
    errno = EINVAL;
    return -1;
  }
  memcpy(folder_path, path, slash - path);
  folder_path[slash - path] = 0;
  int folder = open(folder_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return -1;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d%s", folder, slash);
  int connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct ucred peer = {.uid = (uid_t)-1};
  socklen_t size = sizeof peer;
  bool connected = connection >= 0 && connect(connection, (struct sockaddr *)&address, sizeof address) == 0
                   && getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  cnl_close(folder);
  if (connected && peer.uid == geteuid()) return connection;
  if (connected) errno = EPERM;
  if (connection >= 0) cnl_close(connection);
  return -1;
}

int cnl_keeper_send(int connection, const char *bytes, size_t size, int limit) {
  int64_t deadline = milliseconds() + limit;
  while (send(connection, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno == EINTR) continue;
    if (errno != EAGAIN || wait_until(connection, POLLOUT, deadline) != 0) return -1;
  }
  return 0;
}

ssize_t cnl_keeper_receive(int connection, char *bytes, size_t size, int limit) {
  if (wait_until(connection, POLLIN, milliseconds() + limit) != 0) return -1;
  struct iovec data = {bytes, size};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  ssize_t length = recvmsg(connection, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (length > 0 && !(message.msg_flags & MSG_TRUNC)) return length;
  if (length >= 0) errno = length == 0 ? ECONNRESET : EMSGSIZE;
  return -1;
}

// MARK: - Ending one

int cnl_keeper_process(int connection) {
  struct ucred peer = {0};
  socklen_t size = sizeof peer;
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
  int process = peer.pid > 0 ? (int)syscall(SYS_pidfd_open, peer.pid, 0) : -1;
  // As long as the connection is there, so is the keeper: nobody else has its number.
  struct pollfd one = {connection, 0, 0};
  if (process >= 0 && poll(&one, 1, 0) == 0) return process;
  if (process >= 0) close(process);
  errno = ECONNRESET;
  return -1;
}

int cnl_keeper_kill(int process, int limit) {
  if (syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0) != 0 && errno != ESRCH) return -1;
  return wait_until(process, POLLIN, milliseconds() + limit);
}
