// Sockets by which a keeper is reached, in a folder that only its user can enter, and the messages that pass through them.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "helper.h"

int open_private_folder(const char *path, const char **name) {
  const char *slash = strrchr(path, '/');
  char folder[PATH_MAX];
  if (!slash || slash == path || slash - path >= PATH_MAX || !slash[1]) {
    errno = EINVAL;
    fail("use the folder of", path);
    return -1;
  }
  memcpy(folder, path, slash - path);
  folder[slash - path] = 0;
  *name = slash + 1;
  int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat status;
  if (descriptor >= 0 && fstat(descriptor, &status) == 0) {
    if (status.st_uid == geteuid() && (status.st_mode & 077) == 0) return descriptor;
    errno = EPERM;
  }
  fail("use the folder of running labs", folder);
  if (descriptor >= 0) close(descriptor);
  return -1;
}

/// The address of a socket in a folder, however long the folder's path is.
static struct sockaddr_un address_of(int folder, const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder, name);
  return address;
}

int listen_in(int folder, const char *name) {
  struct sockaddr_un address = address_of(folder, name);
  mode_t mask = umask(0177);
  int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener >= 0 && (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 512) != 0)) {
    close(listener);
    listener = -1;
  }
  umask(mask);
  return listener;
}

int connect_in(int folder, const char *name) {
  struct sockaddr_un address = address_of(folder, name);
  int server = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (server < 0) return -1;
  struct ucred peer = {.uid = (uid_t)-1};
  socklen_t size = sizeof peer;
  if (connect(server, (struct sockaddr *)&address, sizeof address) == 0
      && getsockopt(server, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) {
    if (peer.uid == geteuid()) return server;
    errno = EPERM;
  }
  int error = errno;
  close(server);
  errno = error;
  return -1;
}

int send_message(int socket, const char *bytes, size_t size, const int *descriptors, int count, int flags) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int[HANDED_OUT]))];
  } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int) * count), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
  struct iovec data = {(char *)bytes, size};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  if (count > 0) {
    memcpy(CMSG_DATA(&control.header), descriptors, sizeof(int) * count);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL | flags) < 0 ? -1 : 0;
}

int ask_world(int server, int world[HANDED_OUT]) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int[HANDED_OUT]))];
  } control;
  char answer[16];
  struct iovec data = {answer, sizeof answer};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.bytes};
  // A keeper that is stopped does not answer.
  struct timeval patience = {.tv_sec = 10};
  setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  static const char hello[] = "hello";
  if (send_message(server, hello, sizeof hello, NULL, 0, 0) != 0) return -1;
  if (recvmsg(server, &message, MSG_CMSG_CLOEXEC) <= 0) return -1;
  if (message.msg_controllen < sizeof control.header) return 0;
  int count = (control.header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
  memcpy(world, CMSG_DATA(&control.header), sizeof(int) * count);
  return count;
}
