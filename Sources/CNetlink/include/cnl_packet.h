#ifndef CNL_PACKET_H
#define CNL_PACKET_H
#include <stddef.h>
#include <stdint.h>

// Capturing packets inside namespaces. Functions return -1 and set errno on failure.

/// One instruction of a classic BPF program, as `tcpdump -ddd` prints it.
struct cnl_packet_instruction {
  uint16_t code;
  uint8_t if_true, if_false;
  uint32_t value;
};

/// Opens a packet socket that sees what passes one device of a namespace, in both directions, and that the filter (of
/// `count` instructions; 0 for none) lets through. It does not block.
int cnl_packet_open(int ns, int ifindex, const struct cnl_packet_instruction *filter, int count);

/// A packet as it passed.
struct cnl_packet {
  /// Whether the device sends it (otherwise it came in by it).
  int is_outgoing;
  /// Nanoseconds since 1970.
  int64_t time;
  /// How many of its bytes were stored, and how many it had, with its tag.
  size_t length, original_length;
};

/// Takes the next packet without waiting, with the tag that the kernel keeps beside it put back into its bytes; 1:
/// there was one, 0: there was none. `size` has room for four bytes more than the packet.
int cnl_packet_read(int socket, struct cnl_packet *packet, uint8_t *bytes, size_t size);

/// How many packets the filter let through and how many of them were lost, since this was last asked.
int cnl_packet_counts(int socket, unsigned *seen, unsigned *lost);
#endif
