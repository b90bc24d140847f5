#define _GNU_SOURCE
#include "cnetlink.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

int cnl_open_current_namespace(void) { return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC); }

int cnl_enter(int ns) {
  int home = cnl_open_current_namespace();
  if (home < 0) return -1;
  if (setns(ns, CLONE_NEWNET) == 0) return home;
  cnl_close(home);
  return -1;
}

void cnl_leave(int home) {
  int error = errno;
  if (setns(home, CLONE_NEWNET) != 0) abort();
  close(home);
  errno = error;
}

int cnl_socket_in(int ns, int family, int type, int protocol) {
  int home = cnl_enter(ns);
  if (home < 0) return -1;
  int result = socket(family, type | SOCK_CLOEXEC, protocol);
  cnl_leave(home);
  return result;
}

void cnl_close(int fd) {
  int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
}

struct creation {
  int count;
  int *namespaces;
  struct mnl_socket **sockets;
  const char *step;
  int error;
};

static int create_one(struct creation *c, int i) {
  c->step = "unshare";
  if (unshare(CLONE_NEWNET) != 0) return -1;
  c->step = "open /proc/thread-self/ns/net";
  c->namespaces[i] = cnl_open_current_namespace();
  if (c->namespaces[i] < 0) return -1;
  c->step = "socket";
  c->sockets[i] = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (c->sockets[i]) return 0;
  int error = errno;
  close(c->namespaces[i]);
  errno = error;
  return -1;
}

static void *create_all(void *argument) {
  struct creation *c = argument;
  int made = 0;
  while (made < c->count && create_one(c, made) == 0) made++;
  if (made == c->count) return NULL;
  c->error = errno;
  while (made-- > 0) {
    mnl_socket_close(c->sockets[made]);
    close(c->namespaces[made]);
  }
  return NULL;
}

int cnl_create_namespaces(int count, int *namespaces, struct mnl_socket **sockets, const char **step) {
  struct creation c = {
      .count = count, .namespaces = namespaces, .sockets = sockets, .step = "pthread_create"};
  // A thread that ends needs no way back, which saves a setns for each namespace.
  pthread_t thread;
  int error = pthread_create(&thread, NULL, create_all, &c);
  if (error == 0) {
    pthread_join(thread, NULL);
    error = c.error;
  }
  *step = c.step;
  return error;
}

struct mnl_socket *cnl_open_socket(int ns) {
  int home = -1;
  if (ns >= 0 && (home = cnl_enter(ns)) < 0) return NULL;
  struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (home >= 0) cnl_leave(home);
  return socket;
}

ssize_t cnl_receive(const struct mnl_socket *socket, void *buffer, size_t size) {
  for (;;) {
    struct sockaddr_nl sender = {0};
    struct iovec vector = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {
        .msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &vector, .msg_iovlen = 1};
    ssize_t received = recvmsg(mnl_socket_get_fd(socket), &message, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return -1;
    if (sender.nl_pid != 0) continue;
    if (message.msg_flags & MSG_TRUNC) {
      errno = EMSGSIZE;
      return -1;
    }
    return received;
  }
}

int cnl_check_namespace(int fd) {
  struct statfs fs;
  if (fstatfs(fd, &fs) != 0) return -1;
  if (fs.f_type == NSFS_MAGIC && ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET) return 0;
  errno = EINVAL;
  return -1;
}

int cnl_pin_namespace(int ns, const char *path) {
  int file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
  if (file < 0) return -1;
  close(file);
  char source[32];
  snprintf(source, sizeof source, "/proc/self/fd/%d", ns);
  if (mount(source, path, "none", MS_BIND, NULL) == 0) return 0;
  int error = errno;
  unlink(path);
  errno = error;
  return -1;
}

int cnl_unpin_namespace(const char *path) {
  // Mounts can be stacked (one came through propagation, or someone pinned twice): the file can only go
  // when the last is off, and unlink says EBUSY until then.
  for (int attempt = 0; attempt < 16; attempt++) {
    if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL) return -1;
    if (unlink(path) == 0) return 0;
    if (errno != EBUSY) return -1;
  }
  return -1;
}

int cnl_prepare_namespace_directory(const char *path) {
  if (mkdir(path, 0755) != 0 && errno != EEXIST) return -1;
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return -1;
  // `ip netns add` takes the same lock: two that mount at once would stack the directory on itself.
  int result = flock(directory, LOCK_EX);
  if (result == 0) result = mount("", path, "none", MS_SHARED | MS_REC, NULL);
  if (result != 0 && errno == EINVAL) {  // not a mount point yet
    result = mount(path, path, "none", MS_BIND | MS_REC, NULL);
    if (result == 0) result = mount("", path, "none", MS_SHARED | MS_REC, NULL);
  }
  int error = errno;
  close(directory);
  errno = error;
  return result;
}

/// A directory below /proc/sys, kept open for the settings that follow in it.
///
/// Finding one costs more with each namespace that there is: the kernel keeps an entry of the same name for all of them.
struct sysctl_directory {
  char path[256];
  size_t length;
  int descriptor;
};

/// Opens the sysctl at a path below /proc/sys, such as "net/ipv6/conf/all/disable_ipv6".
static int open_sysctl(struct sysctl_directory *directory, const char *name, int flags) {
  if (directory->descriptor >= 0 && strncmp(name, directory->path, directory->length) == 0)
    return openat(directory->descriptor, name + directory->length, flags | O_CLOEXEC);
  char path[512];
  if (snprintf(path, sizeof path, "/proc/sys/%s", name) >= (int)sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  // The first three components, as in "net/ipv6/conf/".
  const char *end = name;
  for (int slashes = 0; end && slashes < 3; slashes++)
    if ((end = strchr(end, '/'))) end++;
  if (!end || end - name >= (int)sizeof directory->path) return open(path, flags | O_CLOEXEC);
  if (directory->descriptor >= 0) close(directory->descriptor);
  directory->length = end - name;
  memcpy(directory->path, name, directory->length);
  path[strlen("/proc/sys/") + directory->length] = 0;
  directory->descriptor = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return directory->descriptor < 0 ? -1 : openat(directory->descriptor, end, flags | O_CLOEXEC);
}

static int write_sysctl(struct sysctl_directory *directory, const char *name, const char *value) {
  int file = open_sysctl(directory, name, O_WRONLY);
  if (file < 0) return errno;
  int error = write(file, value, strlen(value)) < 0 ? errno : 0;
  close(file);
  return error;
}

int cnl_write_sysctls(int ns, const char *settings, int count, int *errors) {
  int home = cnl_enter(ns);
  if (home < 0) return -1;
  struct sysctl_directory directory = {.descriptor = -1};
  for (int i = 0; i < count; i++) {
    const char *value = settings + strlen(settings) + 1;
    errors[i] = write_sysctl(&directory, settings, value);
    settings = value + strlen(value) + 1;
  }
  if (directory.descriptor >= 0) close(directory.descriptor);
  cnl_leave(home);
  return 0;
}

static int read_sysctl(struct sysctl_directory *directory, const char *name, char *value, size_t size) {
  int file = open_sysctl(directory, name, O_RDONLY);
  if (file < 0) return -errno;
  ssize_t length = read(file, value, size);
  int result = length < 0 ? -errno : length == (ssize_t)size ? -EMSGSIZE : (int)length;
  close(file);
  return result;
}

int cnl_read_sysctls(int ns, const char *paths, int count, char *values, size_t stride, int *lengths) {
  int home = cnl_enter(ns);
  if (home < 0) return -1;
  struct sysctl_directory directory = {.descriptor = -1};
  for (int i = 0; i < count; i++) {
    lengths[i] = read_sysctl(&directory, paths, values + (size_t)i * stride, stride);
    paths += strlen(paths) + 1;
  }
  if (directory.descriptor >= 0) close(directory.descriptor);
  cnl_leave(home);
  return 0;
}

ssize_t cnl_read_in_namespace(int ns, const char *path, void *bytes, size_t size) {
  int home = cnl_enter(ns);
  if (home < 0) return -1;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? -1 : read(file, bytes, size);
  cnl_close(file);
  cnl_leave(home);
  return length;
}

const char *cnl_error_text(int code) { return strerrordesc_np(code); }
const char *cnl_error_name(int code) { return strerrorname_np(code); }
