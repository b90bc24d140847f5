#ifndef CNL_TAP_H
#define CNL_TAP_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Seeing packets, and sending them, inside namespaces. Functions return -1 and set errno on failure.

/// What a tap lets through: the pair of addresses of a probe (`length` 4 or 16 bytes each, or 0), the resolution of
/// either, and frames of the EtherType for experiments (0x88b5).
struct cnl_tap_filter {
  uint8_t first[16], second[16];
  int length;
};

/// Opens a packet socket that sees what passes any device of a namespace, in both directions.
int cnl_tap_open(int ns, const struct cnl_tap_filter *filter);

/// What a tap saw.
struct cnl_tap_frame {
  int ifindex;
  /// Whether the device sends the frame (otherwise it came in by it).
  int is_outgoing;
  /// The tag in the frame's metadata; -1: none.
  int tag;
  /// Nanoseconds since 1970.
  int64_t time;
  /// How many of the frame's bytes were stored.
  size_t length;
};

/// Takes the next frame from a tap without waiting; 1: there was one, 0: there was none.
int cnl_tap_read(int tap, struct cnl_tap_frame *frame, void *bytes, size_t size);

/// Closes sockets side by side: the kernel makes each wait for all of its processors.
void cnl_tap_close(const int *taps, int count);

/// Nanoseconds since 1970, on the clock that taps use.
int64_t cnl_tap_now(void);

/// Opens a socket for sending inside a namespace, bound to an address of `length` 4 or 16 bytes and to a port (0 for
/// a raw socket): with `protocol` IPPROTO_ICMP or IPPROTO_ICMPV6 raw, IPPROTO_UDP a datagram, IPPROTO_TCP a stream that does
/// not block. Fragmentation is forbidden.
int cnl_probe_open(int ns, int protocol, const uint8_t *address, int length);

/// The port that a socket is bound to; -1 and errno on failure.
int cnl_probe_port(int socket);

/// Sends bytes to an address and port (for a stream: starts to connect).
int cnl_probe_send(int socket, int protocol, const uint8_t *address, int length, int port, const void *bytes,
                   size_t size);

/// Whether the answer to what was sent has come out of the socket: an echo reply with the identifier, a datagram, a
/// connection, or a refusal.
int cnl_probe_is_answered(int socket, int protocol, int identifier);

/// How many tables of nftables a namespace has; 0 also where the kernel has no nftables.
int cnl_count_nft_tables(int ns);
#endif
