#ifndef CNL_EXEC_H
#define CNL_EXEC_H
#include <sys/types.h>

/// Replaces the calling process by `argv`, inside the network namespace pinned at `netns` (NULL: the current one).
///
/// Like `ip netns exec`: the command gets a mount namespace of its own, in which /sys shows that network
/// namespace and the files of /etc/netns/<name>/ cover those of /etc. Returns only on failure, after one line on
/// stderr: 127 when the command does not exist, 126 for everything else.
int cnl_exec_in_namespace(const char *netns, char *const argv[]);

/// The hidden command a program re-executes itself with; `argv` starts after its name:
///
///     [--parent PID] [--netns PATH] [--contain] [--user UID:GID] [--limit-cpu SECONDS] [--limit-memory BYTES] -- CMD …
///
/// --parent: be killed when that process, which must be the parent, dies. --contain: run in a PID namespace, so that
/// no descendant outlives the command. Returns only on failure, with the exit status (125: bad arguments).
int cnl_exec_main(char *const argv[]);
#endif
