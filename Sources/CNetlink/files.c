#define _GNU_SOURCE
#include "cnl_files.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>

int cnl_set_file_access_user(uid_t uid, gid_t gid) {
  // Leaving root, the group first; returning to it, the user first. Neither call reports failure itself.
  if (uid == 0) setfsuid(uid);
  setfsgid(gid);
  setfsuid(uid);
  return (uid_t)setfsuid(-1) == uid && (gid_t)setfsgid(-1) == gid ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place) {
  (void)status, (void)type, (void)place;
  return remove(path);
}

int cnl_remove_tree(const char *path) { return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }

int cnl_open_memory(void) { return memfd_create("netlab", MFD_CLOEXEC); }
