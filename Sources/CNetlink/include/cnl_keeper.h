#ifndef CNL_KEEPER_H
#define CNL_KEEPER_H
#include <stddef.h>
#include <sys/types.h>

// The keeper of a lab, the first of its processes, as seen from outside. Times are in milliseconds.

/// Has the helper netlab-exec make sure that a keeper listens at `path`, at least as long as this process runs. Returns the
/// helper's exit status, 0 if there is one now; `message` receives what it said, ended by NUL. ETIMEDOUT if that took too long.
int cnl_keeper_found(const char *helper, const char *path, char *message, size_t size, int limit);

/// Connects to a keeper of the same user; ENOENT or ECONNREFUSED if none listens at `path`.
int cnl_keeper_connect(const char *path);

/// Sends one message; ETIMEDOUT if it is not taken in time.
int cnl_keeper_send(int connection, const char *bytes, size_t size, int limit);

/// Receives one message: its size. ETIMEDOUT if none comes in time, ECONNRESET if none comes any more, EMSGSIZE if it is longer.
ssize_t cnl_keeper_receive(int connection, char *bytes, size_t size, int limit);

/// Opens the keeper at the other end as a process, for cnl_keeper_kill; ECONNRESET if it has ended.
int cnl_keeper_process(int connection);

/// Kills a keeper and waits until the kernel has ended all that was with it, or ETIMEDOUT.
int cnl_keeper_kill(int process, int limit);
#endif
