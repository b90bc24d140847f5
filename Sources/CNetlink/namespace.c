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
#include <stdatomic.h>
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

/// The namespace that all threads of the process are in when they are not in another. It stays open: to open it again
/// each time costs as much as all else that is done in a namespace.
static atomic_int home = -1;

int cnl_enter(int ns) {
  if (home < 0) {
    int none = -1, found = cnl_open_current_namespace();
    if (found < 0) return -1;
    if (!atomic_compare_exchange_strong(&home, &none, found)) close(found);
  }
  return setns(ns, CLONE_NEWNET);
}

void cnl_leave(void) {
  int error = errno;
  if (setns(home, CLONE_NEWNET) != 0) abort();
  errno = error;
}

int cnl_socket_in(int ns, int family, int type, int protocol) {
  if (cnl_enter(ns) != 0) return -1;
  int result = socket(family, type | SOCK_CLOEXEC, protocol);
  cnl_leave();
  return result;
}

void cnl_close(int fd) {
  int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
}

struct mnl_socket *cnl_open_socket(int ns) {
  if (ns >= 0 && cnl_enter(ns) != 0) return NULL;
  struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (ns >= 0) cnl_leave();
  return socket;
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

struct removal {
  int count;
  const char **paths;
  int *errors;
  atomic_int next;
};

static void *unpin_some(void *argument) {
  struct removal *r = argument;
  for (int i; (i = atomic_fetch_add(&r->next, 1)) < r->count;)
    r->errors[i] = cnl_unpin_namespace(r->paths[i]) == 0 ? 0 : errno;
  return NULL;
}

int cnl_unpin_namespaces(const char *paths, int count, int *errors) {
  struct removal r = {.count = count, .paths = calloc(count, sizeof *r.paths), .errors = errors};
  if (!r.paths) return -1;
  for (int i = 0; i < count; i++, paths += strlen(paths) + 1) r.paths[i] = paths;
  // Each makes the kernel wait for all processors; those that wait at the same time wait together.
  pthread_t threads[3];
  int started = 0;
  while (count >= 8 && started < 3 && pthread_create(&threads[started], NULL, unpin_some, &r) == 0) started++;
  unpin_some(&r);
  while (started-- > 0) pthread_join(threads[started], NULL);
  free(r.paths);
  return 0;
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

const char *cnl_error_text(int code) { return strerrordesc_np(code); }
const char *cnl_error_name(int code) { return strerrorname_np(code); }
