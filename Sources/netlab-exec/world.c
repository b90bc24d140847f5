// A world: what an ordinary user has in place of being root. A user namespace in which the user is root and everybody
// else nobody, with a network namespace, and with mounts in which /run/netns and /run/netlab are empty and private.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper.h"

// MARK: - Refusal

/// The settings by which distributions keep user namespaces from ordinary users.
static const struct {
  const char *name, *file;
  long refusing, allowing;
} settings[] = {
    {"user.max_user_namespaces", "/proc/sys/user/max_user_namespaces", 0, 10000},
    {"kernel.unprivileged_userns_clone", "/proc/sys/kernel/unprivileged_userns_clone", 0, 1},
    {"kernel.apparmor_restrict_unprivileged_userns", "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1, 0},
};

static bool has_value(const char *file, long value) {
  char text[32] = "";
  int descriptor = open(file, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  ssize_t length = read(descriptor, text, sizeof text - 1);
  close(descriptor);
  return length > 0 && strtol(text, NULL, 10) == value;
}

/// Says why this machine has no world for the user, and what allows it.
static int refuse(const char *attempt) {
  int error = errno;
  fprintf(stderr, "netlab: an ordinary user cannot %s here: %s", attempt, strerror(error));
  const char *remedy = error == ENOSPC ? "The user has as many as user.max_*_namespaces allow: raise that"
                                       : "The container, or a security policy of this machine, forbids it: allow it there";
  char command[128];
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
    if (!has_value(settings[i].file, settings[i].refusing)) continue;
    fprintf(stderr, ", since %s is %ld", settings[i].name, settings[i].refusing);
    snprintf(command, sizeof command, "Allow it with `sudo sysctl %s=%ld`", settings[i].name, settings[i].allowing);
    remedy = command;
    break;
  }
  fprintf(stderr,
          "\n  %s, or run netlab as root.\n"
          "  `netlab test` and `netlab sandbox` need neither: they have a kernel of their own.\n",
          remedy);
  return MACHINE_LACKS;
}

// MARK: - Making

static int write_file(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t written = write(file, text, strlen(text));
  close(file);
  return written < 0 ? -1 : 0;
}

static int become_root(uid_t user, gid_t group) {
  char users[32], groups[32];
  snprintf(users, sizeof users, "0 %u 1", user);
  snprintf(groups, sizeof groups, "0 %u 1", group);
  if (write_file("/proc/self/setgroups", "deny") != 0) return -1;
  if (write_file("/proc/self/uid_map", users) != 0) return -1;
  return write_file("/proc/self/gid_map", groups);
}

/// Shows one entry of the old /run in the new one; what cannot be shown is left out.
static void show(int old, const char *name) {
  struct stat status;
  char source[64 + NAME_MAX], target[8 + NAME_MAX], link[PATH_MAX];
  if (fstatat(old, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return;
  snprintf(source, sizeof source, "/proc/self/fd/%d/%s", old, name);
  snprintf(target, sizeof target, "/run/%s", name);
  if (S_ISLNK(status.st_mode)) {
    ssize_t length = readlinkat(old, name, link, sizeof link - 1);
    if (length < 0) return;
    link[length] = 0;
    if (symlink(link, target) != 0) return;
  } else if (S_ISDIR(status.st_mode) ? mkdir(target, 0755) == 0 : mknod(target, S_IFREG | 0644, 0) == 0) {
    mount(source, target, "none", MS_BIND | MS_REC, NULL);
  }
}

/// Mounts a /run that has everything of the old one but what netlab and `ip netns` keep there.
static int cover_run(void) {
  DIR *entries = opendir("/run");
  if (!entries) return fail("read", "/run");
  int status = 0;
  if (mount("netlab", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") != 0) status = refuse("mount a /run of its own");
  for (struct dirent *entry; status == 0 && (entry = readdir(entries));) {
    const char *name = entry->d_name;
    bool isPrivate = strcmp(name, "netns") == 0 || strcmp(name, "netlab") == 0;
    if (!isPrivate && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) show(dirfd(entries), name);
  }
  closedir(entries);
  return status;
}

int make_world(void) {
  uid_t user = geteuid();
  gid_t group = getegid();
  if (unshare(CLONE_NEWUSER) != 0) return refuse("make a user namespace");
  if (become_root(user, group) != 0) return refuse("become root of a user namespace");
  if (unshare(CLONE_NEWNS | CLONE_NEWNET) != 0) return refuse("make mount and network namespaces");
  // What is mounted or unmounted outside later is so in here, too, and keeps nothing of the outside alive.
  if (mount("", "/", "none", MS_SLAVE | MS_REC, NULL) != 0) return refuse("separate the mounts");
  return cover_run();
}

// MARK: - One user

#if defined __x86_64__
#define NATIVE_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define NATIVE_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "netlab runs on x86-64 and on 64-bit ARM"
#endif

#define PRETEND(call, remaining) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), (remaining), 0)

/// There is one user in a world, and no other to change to; but tcpdump, for one, refuses to go on as long as it cannot
/// become the user "tcpdump". So all calls that change the user or the groups do nothing, and say that it worked.
void accept_user_changes(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCHITECTURE, 0, 6),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      PRETEND(__NR_setgroups, 5),
      PRETEND(__NR_setuid, 4),
      PRETEND(__NR_setgid, 3),
      PRETEND(__NR_setresuid, 2),
      PRETEND(__NR_setresgid, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
  };
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  // Where that is not to be had, programs that change the user say so themselves.
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
