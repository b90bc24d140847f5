#define _GNU_SOURCE
#include "cnl_probe.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cnetlink.h"
#include "internal.h"

int cnl_send_frame(int ns, int ifindex, const void *frame, size_t length) {
  // Protocol 0 in `socket` receives nothing.
  int fd = cnl_socket_in(ns, AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  struct sockaddr_ll target = {.sll_family = AF_PACKET, .sll_ifindex = ifindex};
  ssize_t sent = sendto(fd, frame, length, 0, (struct sockaddr *)&target, sizeof target);
  cnl_close(fd);
  return sent < 0 ? -1 : 0;
}

static long long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

struct exchange {
  long long deadline;
  struct sockaddr_storage address;
  socklen_t length;
  int listener, client, accepted;
  struct cnl_tcp_result result;
};

/// Waits until a socket is ready; ETIMEDOUT when that takes too long.
static int await(const struct exchange *e, int fd, short events) {
  for (;;) {
    long long left = e->deadline - milliseconds();
    struct pollfd item = {.fd = fd, .events = events};
    int ready = poll(&item, 1, left > 0 ? (int)left : 0);
    if (ready > 0) return 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) errno = ETIMEDOUT;
    return -1;
  }
}

static int serve(struct exchange *e, int ns) {
  e->result.step = CNL_TCP_LISTEN;
  e->listener = cnl_socket_in(ns, e->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (e->listener < 0) return -1;
  int on = 1;
  // Connections of earlier checks linger in TIME_WAIT.
  setsockopt(e->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(e->listener, (struct sockaddr *)&e->address, e->length) == 0 && listen(e->listener, 1) == 0) return 0;
  if (errno != EADDRINUSE) return -1;
  cnl_close(e->listener);
  e->listener = -1;
  e->result.foreign = 1;
  return 0;
}

static int reach(struct exchange *e, int ns) {
  e->result.step = CNL_TCP_CONNECT;
  e->client = cnl_socket_in(ns, e->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (e->client < 0) return -1;
  if (connect(e->client, (struct sockaddr *)&e->address, e->length) == 0) return 0;
  if (errno != EINPROGRESS || await(e, e->client, POLLOUT) != 0) return -1;
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(e->client, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return -1;
  errno = error;
  return error == 0 ? 0 : -1;
}

/// Sends a few bytes one way, and checks that it is those that arrive.
static int pass(const struct exchange *e, int from, int to, const char *text) {
  char received[16];
  size_t length = strlen(text);
  if (send(from, text, length, MSG_NOSIGNAL) != (ssize_t)length || await(e, to, POLLIN) != 0) return -1;
  ssize_t count = recv(to, received, sizeof received, 0);
  if (count < 0) return -1;
  if (count == (ssize_t)length && memcmp(received, text, length) == 0) return 0;
  errno = EPROTO;
  return -1;
}

static int exchange(struct exchange *e, int server, int client) {
  if (server >= 0 && serve(e, server) != 0) return -1;
  if (reach(e, client) != 0) return -1;
  if (e->listener >= 0) {
    e->result.step = CNL_TCP_REQUEST;
    if (await(e, e->listener, POLLIN) != 0) return -1;
    e->accepted = accept4(e->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (e->accepted < 0 || pass(e, e->client, e->accepted, "request") != 0) return -1;
    e->result.step = CNL_TCP_REPLY;
    if (pass(e, e->accepted, e->client, "reply") != 0) return -1;
  }
  e->result.step = CNL_TCP_DONE;
  return 0;
}

static socklen_t fill_address(struct sockaddr_storage *storage, const unsigned char *address, int length,
                              unsigned short port) {
  struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  if (length == 4) {
    memcpy(&ipv4.sin_addr, address, 4);
    memcpy(storage, &ipv4, sizeof ipv4);
    return sizeof ipv4;
  }
  memcpy(&ipv6.sin6_addr, address, 16);
  memcpy(storage, &ipv6, sizeof ipv6);
  return sizeof ipv6;
}

int cnl_tcp_is_served(int ns, const unsigned char *address, int length, unsigned short port) {
  struct sockaddr_storage storage;
  socklen_t size = fill_address(&storage, address, length, port);
  int fd = cnl_socket_in(ns, storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
  if (fd < 0) return -1;
  // Only a socket that listens is in the way of one that may share its address.
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  int result = bind(fd, (struct sockaddr *)&storage, size);
  if (result < 0 && errno == EADDRINUSE) result = 1;
  cnl_close(fd);
  return result;
}

static struct exchange begin(const unsigned char *address, int length, unsigned short port, int limit) {
  struct exchange e = {
      .deadline = milliseconds() + limit, .listener = -1, .client = -1, .accepted = -1};
  e.length = fill_address(&e.address, address, length, port);
  return e;
}

static void end(struct exchange *e) {
  cnl_close(e->accepted);
  cnl_close(e->client);
  // A process that another thread starts has a copy of it until it executes its program: without this, it listens on.
  if (e->listener >= 0) shutdown(e->listener, SHUT_RDWR);
  cnl_close(e->listener);
}

struct cnl_tcp_result cnl_exchange_tcp(int server, int client, const unsigned char *address, int length,
                                       unsigned short port, int limit) {
  struct exchange e = begin(address, length, port, limit);
  if (exchange(&e, server, client) != 0) e.result.error = errno;
  end(&e);
  return e.result;
}

static long long nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/// Sends until the kernel takes no more, then reads what has arrived, until the time is over.
static int flood(struct exchange *e, int duration, struct cnl_rate_result *result) {
  static const char data[65536];
  char received[65536];
  long long start = nanoseconds(), warm = start + duration * 250000LL, stop = start + duration * 1000000LL;
  long long first = 0;
  for (long long now = start; now < stop; now = nanoseconds()) {
    int left = (int)((stop - now + 999999) / 1000000);
    struct pollfd items[] = {{.fd = e->client, .events = POLLOUT}, {.fd = e->accepted, .events = POLLIN}};
    if (poll(items, 2, left) < 0 && errno != EINTR) return -1;
    if (send(e->client, data, sizeof data, MSG_NOSIGNAL) < 0 && errno != EAGAIN) return -1;
    ssize_t count = recv(e->accepted, received, sizeof received, 0);
    if (count < 0 && errno != EAGAIN) return -1;
    if (count <= 0 || (now = nanoseconds()) < warm) continue;
    // The first piece shows only when the time begins.
    if (first == 0) {
      first = now;
      continue;
    }
    result->bytes += count;
    result->nanoseconds = now - first;
  }
  return 0;
}

struct cnl_rate_result cnl_measure_rate(int server, int client, const unsigned char *address, int length,
                                        int duration, int limit) {
  struct cnl_rate_result result = {0};
  struct exchange e = begin(address, length, 0, limit);
  if (serve(&e, server) != 0 || getsockname(e.listener, (struct sockaddr *)&e.address, &e.length) != 0 ||
      reach(&e, client) != 0 || await(&e, e.listener, POLLIN) != 0 ||
      (e.accepted = accept4(e.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) < 0 ||
      flood(&e, duration, &result) != 0)
    result.error = errno;
  end(&e);
  return result;
}
