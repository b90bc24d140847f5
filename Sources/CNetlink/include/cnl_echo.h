#ifndef CNL_ECHO_H
#define CNL_ECHO_H
#include <stdint.h>

// ICMP echo requests sent and matched without a process: raw sockets stay in the namespace they were opened in.

/// One echo request, and what came of it.
struct cnl_echo {
  /// Index of the socket that sends it.
  int socket;
  /// Whether an answer is waited for.
  int expected;
  /// 4 or 16 bytes in network order, as the socket's family has them.
  unsigned char address[16];
  /// The errno with which the kernel refused to send it, or 0.
  int error;
  /// Nanoseconds until the answer, or 0 when there was none.
  int64_t round_trip;
};

/// What a request carries to be known again: a cookie, a time, a number.
#define CNL_ECHO_LEAST 24

/// How an exchange is told from others, and how long it waits.
struct cnl_echo_exchange {
  /// The identifier in the ICMP header.
  uint16_t identifier;
  /// Bytes that follow the ICMP header, from CNL_ECHO_LEAST on; ping's usual are 56.
  int size;
  /// In the payload: an answer to another exchange is none to this.
  uint64_t cookie;
  /// Nanoseconds without any answer after which expected ones are given up.
  int64_t patience;
  /// Nanoseconds for which unexpected answers are waited for at least, after the last request; ten times the slowest
  /// answer when that is longer, a second at most.
  int64_t grace;
};

/// Opens a raw ICMP socket (`families[i]`: 4 or 6) in each namespace, for echo replies alone. All or nothing: -1 and errno.
int cnl_open_echo_sockets(const int *namespaces, const int *families, int count, int *sockets);

/// Sends all requests in their order, and reads answers until every expected one is there or has been waited for long enough.
///
/// At most a few hundred requests at once: what is under way has to fit into the sockets' buffers and the neighbour
/// tables. `families` belongs to `sockets`. Returns -1 and errno when nothing is known of the answers.
int cnl_exchange_echoes(const int *sockets, const int *families, int socket_count, struct cnl_echo *echoes, int count,
                        struct cnl_echo_exchange exchange);
#endif
