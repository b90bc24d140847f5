#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "cnetlink.h"
#include "internal.h"

int cnl_mount_proc(void) {
  int context = fsopen("proc", FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  int mount = fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0
                  ? fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
                  : -1;
  cnl_close(context);
  return mount;
}

/// A directory below /proc/sys, kept open where several settings may be in it.
///
/// Finding one costs more with each namespace that there is: the kernel keeps an entry of the same name for all of them.
struct sysctl_directory {
  int is_kept;
  /// A mount of proc; negative: the usual one.
  int proc;
  char path[256];
  size_t length;
  int descriptor;
};

/// Opens the sysctl at a path below /proc/sys, such as "net/ipv6/conf/all/disable_ipv6".
static int open_sysctl(struct sysctl_directory *directory, const char *name, int flags) {
  if (directory->descriptor >= 0 && strncmp(name, directory->path, directory->length) == 0)
    return openat(directory->descriptor, name + directory->length, flags | O_CLOEXEC);
  char path[512];
  const char *sys = directory->proc < 0 ? "/proc/sys/" : "sys/";
  if (snprintf(path, sizeof path, "%s%s", sys, name) >= (int)sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  if (!directory->is_kept) return openat(directory->proc, path, flags | O_CLOEXEC);
  // The first three components, as in "net/ipv6/conf/".
  const char *end = name;
  for (int slashes = 0; end && slashes < 3; slashes++)
    if ((end = strchr(end, '/'))) end++;
  if (!end || end - name >= (int)sizeof directory->path) return openat(directory->proc, path, flags | O_CLOEXEC);
  if (directory->descriptor >= 0) close(directory->descriptor);
  directory->length = end - name;
  memcpy(directory->path, name, directory->length);
  path[strlen(sys) + directory->length] = 0;
  directory->descriptor = openat(directory->proc, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return directory->descriptor < 0 ? -1 : openat(directory->descriptor, end, flags | O_CLOEXEC);
}

static int write_sysctl(struct sysctl_directory *directory, const char *name, const char *value) {
  int file = open_sysctl(directory, name, O_WRONLY);
  if (file < 0) return errno;
  int error = write(file, value, strlen(value)) < 0 ? errno : 0;
  close(file);
  return error;
}

int cnl_write_sysctls(int ns, int proc, const char *settings, int count, int *errors) {
  if (cnl_enter(ns) != 0) return -1;
  struct sysctl_directory directory = {.is_kept = count > 1, .proc = proc, .descriptor = -1};
  for (int i = 0; i < count; i++) {
    const char *value = settings + strlen(settings) + 1;
    errors[i] = write_sysctl(&directory, settings, value);
    settings = value + strlen(value) + 1;
  }
  if (directory.descriptor >= 0) close(directory.descriptor);
  cnl_leave();
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

int cnl_read_sysctls(int ns, int proc, const char *paths, int count, char *values, size_t stride, int *lengths) {
  if (cnl_enter(ns) != 0) return -1;
  struct sysctl_directory directory = {.is_kept = count > 1, .proc = proc, .descriptor = -1};
  for (int i = 0; i < count; i++) {
    lengths[i] = read_sysctl(&directory, paths, values + (size_t)i * stride, stride);
    paths += strlen(paths) + 1;
  }
  if (directory.descriptor >= 0) close(directory.descriptor);
  cnl_leave();
  return 0;
}

ssize_t cnl_read_in_namespace(int ns, const char *path, void *bytes, size_t size) {
  if (cnl_enter(ns) != 0) return -1;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? -1 : 0, more = 1;
  // A read gives a page at most.
  while (length >= 0 && more > 0 && (size_t)length < size) {
    more = read(file, (char *)bytes + length, size - length);
    if (more > 0) length += more;
    if (more < 0 && length == 0) length = -1;
  }
  cnl_close(file);
  cnl_leave();
  return length;
}
