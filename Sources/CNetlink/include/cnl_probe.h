#ifndef CNL_PROBE_H
#define CNL_PROBE_H
#include <stddef.h>

// What checks do inside a namespace without a process of their own. Each function enters the namespace, acts and
// leaves before it returns; if leaving fails, the process aborts.

/// Sends one Ethernet frame, header included, out of a device of a namespace. -1 and errno on failure.
int cnl_send_frame(int ns, int ifindex, const void *frame, size_t length);

/// How far a TCP exchange came. Each value is what was attempted last.
enum cnl_tcp_step { CNL_TCP_LISTEN, CNL_TCP_CONNECT, CNL_TCP_REQUEST, CNL_TCP_REPLY, CNL_TCP_DONE };

struct cnl_tcp_result {
  enum cnl_tcp_step step;
  /// An errno; 0 when the exchange went well. ETIMEDOUT is also that the limit was reached.
  int error;
  /// Whether something else listens on the port: then it was only connected to.
  int foreign;
};

/// Whether something listens on a TCP port of one of a namespace's addresses. -1 and errno when that cannot be told:
/// EADDRNOTAVAIL when the namespace does not have the address.
int cnl_tcp_is_served(int ns, const unsigned char *address, int length, unsigned short port);

/// Serves a TCP port in one namespace, reaches it from another, and sends bytes both ways.
///
/// `address` holds 4 or 16 bytes in network order. With a negative `server` nothing is served: it is only connected
/// to. Blocks for `limit` milliseconds at most.
struct cnl_tcp_result cnl_exchange_tcp(int server, int client, const unsigned char *address, int length,
                                       unsigned short port, int limit);

struct cnl_rate_result {
  /// An errno; 0 when it went well.
  int error;
  /// How many bytes arrived, and in which time.
  long long bytes, nanoseconds;
};

/// Sends as much as it can by TCP from one namespace to another, to a port that it chooses, and counts what arrives.
///
/// `address` holds 4 or 16 bytes in network order, and is one of the server's. It goes on for `duration` milliseconds
/// after the connection was made; what arrives in the first quarter is not counted, as TCP has to find its speed.
struct cnl_rate_result cnl_measure_rate(int server, int client, const unsigned char *address, int length,
                                        int duration, int limit);
#endif
