// Workshops: where a lab is compiled and evaluated. It has namespaces of its own, in which the machine's files are read-only
// and the other labs' files are hidden, so that no lab reaches what another one is made of.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper.h"

/// What every user of the machine can write to, or connect to. An empty folder covers each of these.
static const char *const shared[] = {"/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/dev/pts", "/run", NULL};

// MARK: - Files

static int cover(const char *path) {
  // A folder that the machine does not have needs no cover.
  if (mount("netlab", path, "tmpfs", MS_NOSUID | MS_NODEV, "size=64m,nr_inodes=10k,mode=1777") == 0) return 0;
  return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
}

/// Takes a tree of mounts out of the current view. A folder that does not exist gives an invalid descriptor.
static int take(const char *path) { return open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | AT_RECURSIVE | O_CLOEXEC); }

static int make_folders(const char *path) {
  char folder[PATH_MAX];
  for (const char *end = path; (end = strchr(end + 1, '/'));) {
    snprintf(folder, sizeof folder, "%.*s", (int)(end - path), path);
    mkdir(folder, 0755);
  }
  return mkdir(path, 0755) == 0 || errno == EEXIST ? 0 : -1;
}

/// Brings a tree back to the path that it was taken from.
static int put_back(int tree, const char *path) {
  if (tree < 0) return 0;
  if (make_folders(path) != 0 && errno != EROFS) return -1;
  int status = move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
  close(tree);
  return status;
}

static int arrange_files(const struct workshop *workshop) {
  int shown[PATHS], writable[PATHS];
  char directory[PATH_MAX];
  bool has_directory = getcwd(directory, sizeof directory);
  if (mount("", "/", "none", MS_SLAVE | MS_REC, NULL) != 0) return -1;
  for (int i = 0; i < workshop->writable_count; i++) writable[i] = take(workshop->writable[i]);
  struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID};
  if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof read_only) != 0) return -1;
  for (int i = 0; i < workshop->shown_count; i++) shown[i] = take(workshop->shown[i]);
  for (const char *const *path = shared; *path; path++)
    if (cover(*path) != 0) return -1;
  if (workshop->hidden && cover(workshop->hidden) != 0) return -1;
  for (int i = 0; i < workshop->shown_count; i++)
    if (put_back(shown[i], workshop->shown[i]) != 0) return -1;
  for (int i = 0; i < workshop->writable_count; i++)
    if (put_back(writable[i], workshop->writable[i]) != 0) return -1;
  // A process stays in its directory even if that is covered.
  return has_directory && chdir(directory) == 0 ? 0 : chdir("/");
}

// MARK: - Users

static int write_file(const char *path, const char *format, unsigned inside, unsigned outside) {
  char text[32];
  int length = snprintf(text, sizeof text, format, inside, outside), file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t written = write(file, text, length);
  close(file);
  return written < 0 ? -1 : 0;
}

/// Makes a user namespace that has this process's user and no other. Processes are counted there from 0.
static int make_user_namespace(void) {
  enum { NOBODY = 65534 };
  uid_t user = geteuid();
  gid_t group = getegid();
  // The maps belong to root in a process that has been root.
  if (prctl(PR_SET_DUMPABLE, 1) != 0 || unshare(CLONE_NEWUSER) != 0) return -1;
  // Root of a user namespace keeps its rights when it becomes a command; nobody loses them.
  if (write_file("/proc/self/setgroups", "deny", 0, 0) != 0) return -1;
  if (write_file("/proc/self/uid_map", "%u %u 1", user ? user : NOBODY, user) != 0) return -1;
  return write_file("/proc/self/gid_map", "%u %u 1", group ? group : NOBODY, group);
}

/// Leaves the command no way to rights over namespaces of its own making.
static void forbid_namespaces(void) { write_file("/proc/sys/user/max_user_namespaces", "0", 0, 0); }

// MARK: - The workshop

static int make_namespaces(void) { return unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS); }

/// Says that the machine refuses a workshop, or a part of it; the lab's code runs all the same.
static void warn(const struct workshop *workshop) {
  if (workshop->is_silent) return;
  fprintf(stderr,
          "netlab: warning: this machine refuses the namespaces that close a lab's code in (%s): "
          "it reaches the network and the files of its user\n",
          strerror(errno));
}

int enter_workshop(const struct workshop *workshop, struct command *command) {
  bool has_users = false;
  if (make_namespaces() != 0) {
    // An ordinary user, or a root of few rights, makes them in a user namespace.
    int status = become_user(command);
    if (status != 0) return status;
    if (make_user_namespace() != 0 || make_namespaces() != 0) {
      warn(workshop);
      command->processes = 0;
      return 0;
    }
    has_users = true;
  }
  if (arrange_files(workshop) != 0) warn(workshop);
  int status = contain();
  if (status != 0) return status;
  // A container that hides parts of /proc may forbid a new one.
  mount("netlab", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  if (!has_users) {
    status = become_user(command);
    if (status != 0) return status;
    has_users = make_user_namespace() == 0;
  }
  if (has_users) forbid_namespaces();
  else command->processes = 0;
  return 0;
}
