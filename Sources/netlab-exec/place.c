// Places: where a command runs, which is a network namespace with mounts that belong to it, and with a name.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "helper.h"

static int enter_network(const char *netns) {
  int descriptor = open(netns, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail("open the network namespace", netns);
  int status = setns(descriptor, CLONE_NEWNET) == 0 ? 0 : fail("enter the network namespace", netns);
  close(descriptor);
  return status;
}

/// Mounts the /sys of the current network namespace in place of the old one, as read-only as that was.
static int remount_sys(void) {
  struct statvfs old;
  unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (statvfs("/sys", &old) == 0 && (old.f_flag & ST_RDONLY)) flags |= MS_RDONLY;
  if (umount2("/sys", MNT_DETACH) != 0 && errno != EINVAL) return fail("unmount", "/sys");
  // A container may forbid sysfs; the command can still do without it.
  if (mount("netlab", "/sys", "sysfs", flags, NULL) != 0 && errno != EPERM) return fail("mount", "/sys");
  return 0;
}

/// Covers /etc/<file> by <directory>/<file>, for each such file. What cannot be covered stays, and the command is told, as
/// `ip netns exec` does it.
static int bind_etc(const char *directory) {
  DIR *entries = opendir(directory);
  if (!entries) return errno == ENOENT ? 0 : fail("read", directory);
  for (struct dirent *entry; (entry = readdir(entries));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char source[2 * PATH_MAX], target[PATH_MAX];
    snprintf(source, sizeof source, "%s/%s", directory, entry->d_name);
    snprintf(target, sizeof target, "/etc/%s", entry->d_name);
    if (mount(source, target, "none", MS_BIND, NULL) == 0) continue;
    fprintf(stderr, "netlab: %s stays as it is, since %s cannot be bound over it: %s\n", target, source, strerror(errno));
  }
  closedir(entries);
  return 0;
}

/// Covers what /etc/netns/<name>/ has files for.
static int bind_etc_of(const char *netns) {
  const char *slash = strrchr(netns, '/');
  char directory[PATH_MAX];
  snprintf(directory, sizeof directory, "/etc/netns/%s", slash ? slash + 1 : netns);
  return bind_etc(directory);
}

int enter_place(const struct place *place) {
  int status = place->netns ? enter_network(place->netns) : 0;
  if (status != 0) return status;
  const char *words = place->netns ? place->netns : "the command";
  if (unshare(CLONE_NEWNS | (place->hostname ? CLONE_NEWUTS : 0)) != 0) return fail("make a mount namespace for", words);
  if (mount("", "/", "none", MS_SLAVE | MS_REC, NULL) != 0) return fail("separate the mounts of", words);
  if (place->hostname && sethostname(place->hostname, strlen(place->hostname)) != 0)
    return fail("set the host name", place->hostname);
  // A container that hides parts of /proc forbids one that shows all; the command then sees the old one.
  if (place->has_processes) mount("netlab", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  if (place->netns) status = remount_sys();
  if (status == 0 && place->netns) status = bind_etc_of(place->netns);
  if (status == 0 && place->etc) status = bind_etc(place->etc);
  return status;
}
