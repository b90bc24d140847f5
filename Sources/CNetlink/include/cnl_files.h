#ifndef CNL_FILES_H
#define CNL_FILES_H
#include <sys/types.h>

/// Makes the calling thread's file accesses those of the given user; undo with (0, 0). Needs root.
/// -1 when the kernel refused.
int cnl_set_file_access_user(uid_t uid, gid_t gid);

/// Removes a file, or a directory with all that is in it, without following links; -1 and errno on failure.
int cnl_remove_tree(const char *path);

/// Makes a file that is in memory only, and closed on exec: its descriptor, or -1 and errno.
int cnl_open_memory(void);
#endif
