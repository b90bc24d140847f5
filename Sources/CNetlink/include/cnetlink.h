#ifndef CNETLINK_H
#define CNETLINK_H
// netinet/in.h comes before the linux headers that redefine its types otherwise.
#include <netinet/in.h>

#include <linux/ethtool.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stddef.h>
#include <sys/types.h>

// What Swift cannot do safely: `setns` and `unshare` change one thread, so entering a namespace, acting
// and leaving happen inside one C function, or on a thread that ends afterwards. If leaving fails, the
// process aborts rather than go on in a foreign namespace. Functions return -1 and set errno on failure,
// unless they say otherwise.

struct mnl_socket;

/// Network namespaces that threads of their own make, each with a routing socket in it. Nobody else can see them, and they
/// are gone when their owner is.
struct cnl_supply;

/// Begins to make `count` of them; null if there is no memory.
struct cnl_supply *cnl_start_supply(int count);

/// Whether the next one can be taken without waiting.
int cnl_supply_is_ready(struct cnl_supply *supply);

/// Gives away the next one, of which there must be one: returns 0, or an errno with `*step` naming the system call that
/// failed.
int cnl_take_namespace(struct cnl_supply *supply, int *ns, struct mnl_socket **socket, const char **step);

/// Ends it with all that has not been taken.
void cnl_end_supply(struct cnl_supply *supply);

/// From now on each SIGINT, SIGTERM and SIGHUP is a byte, its number, to be read from the descriptor returned, whichever
/// thread it came to; a SIGHUP that the process was started to ignore stays ignored. One caller at a time.
int cnl_hear_signals(void);

/// Lets these signals end the process again.
void cnl_obey_signals(void);

/// Opens a routing socket inside a namespace, or in the calling thread's if `ns` is negative.
struct mnl_socket *cnl_open_socket(int ns);

/// A datagram that was received.
struct cnl_datagram {
  const unsigned char *bytes;
  size_t size;
};

/// Receives what there is from the kernel (what others send has size 0), at most `count` datagrams, and four; waits for the
/// first, but not longer than so many milliseconds (EAGAIN then). Returns how many there are. They are valid until the
/// thread's next call. EMSGSIZE if one was longer than 64 KiB.
int cnl_receive(const struct mnl_socket *socket, int milliseconds, struct cnl_datagram *datagrams, int count);

/// Opens the network namespace that the calling thread is in.
int cnl_open_current_namespace(void);

/// Whether the descriptor is a network namespace; EINVAL if it is anything else.
int cnl_check_namespace(int fd);

/// Makes `path` a new file with the namespace bound to it.
int cnl_pin_namespace(int ns, const char *path);

/// Takes away what cnl_pin_namespace made.
int cnl_unpin_namespace(const char *path);

/// The same for several paths, each ended by NUL; `errors` receives 0 or an errno for each.
int cnl_unpin_namespaces(const char *paths, int count, int *errors);

/// Makes `path` a directory whose mounts are seen by all mount namespaces, as `ip netns` does.
int cnl_prepare_namespace_directory(const char *path);

/// Mounts proc once more, where nobody else sees it.
int cnl_mount_proc(void);

/// Writes sysctls in a namespace, through a mount of proc or the usual one if `proc` is negative. `settings` holds a path
/// below /proc/sys and a value for each, every string ended by NUL; `errors` receives 0 or an errno for each.
int cnl_write_sysctls(int ns, int proc, const char *settings, int count, int *errors);

/// Reads sysctls in a namespace: value i goes to `values + i * stride`, its length or a negative errno to
/// `lengths[i]`. A value that needs more than `stride` bytes is EMSGSIZE.
int cnl_read_sysctls(int ns, int proc, const char *paths, int count, char *values, size_t stride, int *lengths);

/// Reads the beginning of a file of /proc/thread-self as it is in a namespace: how many bytes; -1 and errno on failure.
ssize_t cnl_read_in_namespace(int ns, const char *path, void *bytes, size_t size);

/// Gives the table of descriptors its final size, and has the allocator keep what is freed. For a process with one thread.
void cnl_prepare_process(void);

/// The names of the features that devices can have, ETH_GSTRING_LEN bytes each: how many, at most `limit`. Any device will do.
int cnl_feature_names(int socket, const char *device, char *names, int limit);

/// The features of a device in the socket's namespace that are on, a bit each.
int cnl_active_features(int socket, const char *device, unsigned *words, int count);

/// Changes an offload of a device; `command` is an ETHTOOL_S….
int cnl_set_offload(int socket, const char *device, unsigned command, unsigned value);

/// The kernel's words for an errno ("File exists") and its name ("EEXIST"), or NULL.
const char *cnl_error_text(int code);
const char *cnl_error_name(int code);
#include "cnl_keeper.h"
#include "cnl_packet.h"
#include "cnl_sandbox.h"
#include "cnl_tap.h"
#include "cnl_tracefs.h"
#endif
