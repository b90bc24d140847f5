#define _GNU_SOURCE
#include "cnetlink.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

_Noreturn static void fail(const char *name, const char *what, const char *object, int status) {
  dprintf(STDERR_FILENO, "cannot run in namespace %s: %s %s: %s\n", name, what, object, strerror(errno));
  _exit(status);
}

/// Shows the namespace's own devices in /sys/class/net.
static int mount_sys(const char *name) {
  unsigned long flags = 0;
  struct statvfs old;
  // Where /sys cannot be taken off, a new one goes on top, read-only if the old one is: the kernel
  // refuses to cover a read-only one with a writable one.
  if (umount2("/sys", MNT_DETACH) != 0 && statvfs("/sys", &old) == 0 && (old.f_flag & ST_RDONLY))
    flags = MS_RDONLY;
  return mount(name, "/sys", "sysfs", flags, NULL);
}

/// Puts the files of /etc/netns/NAME over those of /etc. One that has no counterpart there is reported,
/// and left out.
static void bind_etc(const char *name) {
  char directory[PATH_MAX], source[PATH_MAX], target[PATH_MAX];
  snprintf(directory, sizeof directory, "/etc/netns/%s", name);
  DIR *entries = opendir(directory);
  if (!entries) return;
  for (struct dirent *entry; (entry = readdir(entries));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (snprintf(source, sizeof source, "%s/%s", directory, entry->d_name) >= (int)sizeof source) continue;
    snprintf(target, sizeof target, "/etc/%s", entry->d_name);
    if (mount(source, target, "none", MS_BIND, NULL) != 0)
      dprintf(STDERR_FILENO, "cannot bind %s on %s: %s\n", source, target, strerror(errno));
  }
  closedir(entries);
}

_Noreturn void cnl_exec_in_namespace(const char *netns_path, pid_t parent, char *const argv[]) {
  const char *slash = strrchr(netns_path, '/');
  const char *name = slash ? slash + 1 : netns_path;
  if (parent != 0) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail(name, "prctl", "PR_SET_PDEATHSIG", 126);
    if (getppid() != parent) _exit(126);  // it died before it could be watched
  }
  int ns = open(netns_path, O_RDONLY | O_CLOEXEC);
  if (ns < 0) fail(name, "open", netns_path, 126);
  if (cnl_check_namespace(ns) != 0 || setns(ns, CLONE_NEWNET) != 0) fail(name, "enter", netns_path, 126);
  close(ns);
  if (unshare(CLONE_NEWNS) != 0) fail(name, "unshare", "mounts", 126);
  // What is mounted from here on must not reach other processes.
  if (mount("", "/", "none", MS_SLAVE | MS_REC, NULL) != 0) fail(name, "make private", "/", 126);
  if (mount_sys(name) != 0) fail(name, "mount", "/sys", 126);
  bind_etc(name);
  execvp(argv[0], argv);
  fail(name, "execute", argv[0], errno == ENOENT ? 127 : 126);
}
