#define _GNU_SOURCE
#include "cnl_tracefs.h"

#include <errno.h>
#include <sys/mount.h>
#include <unistd.h>

int cnl_open_tracefs(void) {
  int context = fsopen("tracefs", FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  int root = -1;
  if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
    root = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  int error = errno;
  close(context);
  errno = error;
  return root;
}

int cnl_thread_id(void) { return gettid(); }
