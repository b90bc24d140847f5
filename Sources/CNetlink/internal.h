#ifndef CNL_INTERNAL_H
#define CNL_INTERNAL_H
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <stddef.h>
#include <stdint.h>

// What the files of this module share.

/// Enters a network namespace: until cnl_leave, which must follow on the same thread.
int cnl_enter(int ns);

/// Goes back to the process's own namespace, or aborts; leaves errno as it is.
void cnl_leave(void);

/// Opens a socket inside a namespace, where it stays.
int cnl_socket_in(int ns, int family, int type, int protocol);

/// Closes without touching errno.
void cnl_close(int fd);

/// Opens a packet socket that does not block and sees what passes a device of a namespace (0: any) in both directions,
/// with times and tags, through a filter (an empty one lets all pass).
int cnl_open_packet_socket(int ns, int ifindex, const struct sock_fprog *filter, int buffer_size);

/// A frame as a packet socket received it.
struct cnl_received {
  struct sockaddr_ll from;
  struct tpacket_auxdata data;
  /// Nanoseconds since 1970.
  int64_t time;
  /// How long it is; more than was stored when that was too short.
  size_t length;
};

/// Takes the next frame without waiting; 1: there was one, 0: there was none.
int cnl_receive_frame(int fd, struct cnl_received *frame, void *bytes, size_t size);
#endif
