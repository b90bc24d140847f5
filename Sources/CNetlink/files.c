#define _GNU_SOURCE
#include "cnl_files.h"

#include <ftw.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/// The groups that root has besides its own, while this thread does without them. glibc's setgroups would take them from
/// all threads.
static _Thread_local gid_t *left_groups;
static _Thread_local int left_count;

static int leave_groups(void) {
  int count = getgroups(0, NULL);
  if (left_groups || count <= 0) return count;
  left_groups = calloc(count, sizeof *left_groups);
  if (!left_groups) return -1;
  left_count = getgroups(count, left_groups);
  return left_count < 0 ? -1 : syscall(SYS_setgroups, 0, NULL);
}

static int return_to_groups(void) {
  int status = left_groups ? syscall(SYS_setgroups, left_count, left_groups) : 0;
  free(left_groups);
  left_groups = NULL;
  return status;
}

int cnl_set_file_access_user(uid_t uid, gid_t gid) {
  // Leaving root, the groups first; returning to it, the user first. Neither of setfs[ug]id reports failure itself.
  if (uid == 0) setfsuid(uid);
  int status = uid == 0 ? return_to_groups() : leave_groups();
  setfsgid(gid);
  setfsuid(uid);
  return status >= 0 && (uid_t)setfsuid(-1) == uid && (gid_t)setfsgid(-1) == gid ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place) {
  (void)status, (void)type, (void)place;
  return remove(path);
}

int cnl_remove_tree(const char *path) { return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

int cnl_open_memory(void) { return memfd_create("netlab", MFD_CLOEXEC); }
