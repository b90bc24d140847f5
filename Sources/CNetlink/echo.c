#define _GNU_SOURCE
#include "cnl_echo.h"

#include <errno.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cnetlink.h"
#include "internal.h"

// MARK: - Sockets

static int open_echo_socket(int ns, int family) {
  int type = SOCK_RAW | SOCK_NONBLOCK;
  int fd = family == 4 ? cnl_socket_in(ns, AF_INET, type, IPPROTO_ICMP)
                       : cnl_socket_in(ns, AF_INET6, type, IPPROTO_ICMPV6);
  if (fd < 0) return -1;
  struct icmp_filter replies4 = {.data = ~(1U << ICMP_ECHOREPLY)};
  struct icmp6_filter replies6;
  ICMP6_FILTER_SETBLOCKALL(&replies6);
  ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &replies6);
  int failed = family == 4 ? setsockopt(fd, SOL_RAW, ICMP_FILTER, &replies4, sizeof replies4)
                           : setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &replies6, sizeof replies6);
  if (failed == 0) return fd;
  cnl_close(fd);
  return -1;
}

int cnl_open_echo_sockets(const int *namespaces, const int *families, int count, int *sockets) {
  for (int opened = 0; opened < count; opened++) {
    sockets[opened] = open_echo_socket(namespaces[opened], families[opened]);
    if (sockets[opened] >= 0) continue;
    while (opened > 0) cnl_close(sockets[--opened]);
    return -1;
  }
  return 0;
}

// MARK: - Packets

/// What a request begins with, and its answer repeats.
struct payload {
  uint64_t cookie;
  int64_t sent;
  uint32_t index;
};
_Static_assert(sizeof(struct payload) == CNL_ECHO_LEAST, "the least size");

/// The header is the same for both families up to the type, and the checksum, which the kernel makes for ICMPv6.
struct packet {
  struct icmphdr header;
  struct payload payload;
};

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/// Of an odd size, the byte behind the last counts, and is 0.
static uint16_t checksum(const void *data, size_t size) {
  uint32_t sum = 0;
  for (size_t i = 0; i < size; i += 2) {
    uint16_t word;
    memcpy(&word, (const char *)data + i, 2);
    sum += word;
  }
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum;
}

/// `bytes` has room for all that is sent, and zeros behind the payload.
static void send_echo(int fd, int family, struct cnl_echo *echo, uint32_t index,
                      const struct cnl_echo_exchange *exchange, unsigned char *bytes) {
  size_t size = sizeof(struct icmphdr) + exchange->size;
  struct packet packet = {
      .header = {.type = family == 4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST},
      .payload = {.cookie = exchange->cookie, .sent = nanoseconds(), .index = index}};
  packet.header.un.echo.id = htons(exchange->identifier);
  packet.header.un.echo.sequence = htons(index);
  struct sockaddr_in6 target6 = {.sin6_family = AF_INET6};
  struct sockaddr_in target4 = {.sin_family = AF_INET};
  ssize_t sent;
  memcpy(bytes, &packet, sizeof packet);
  if (family == 4) {
    packet.header.checksum = checksum(bytes, size);
    memcpy(bytes, &packet, sizeof packet);
    memcpy(&target4.sin_addr, echo->address, 4);
    sent = sendto(fd, bytes, size, 0, (struct sockaddr *)&target4, sizeof target4);
  } else {
    memcpy(&target6.sin6_addr, echo->address, 16);
    sent = sendto(fd, bytes, size, 0, (struct sockaddr *)&target6, sizeof target6);
  }
  echo->error = sent < 0 ? errno : 0;
  echo->round_trip = 0;
}

/// The ICMP message in what a raw socket received, which for IPv4 starts with the IP header; false when it is no echo's.
static bool read_packet(const unsigned char *data, ssize_t size, int family, struct packet *packet) {
  ssize_t start = family == 4 && size >= (ssize_t)sizeof(struct iphdr) ? (data[0] & 15) * 4 : 0;
  if (size - start < (ssize_t)sizeof *packet) return false;
  memcpy(packet, data + start, sizeof *packet);
  return true;
}

// MARK: - The exchange

struct state {
  struct cnl_echo *echoes;
  int count;
  struct cnl_echo_exchange exchange;
  int missing, unexpected;
  int64_t slowest, last;
};

/// Reads all answers that a socket holds.
static void read_answers(struct state *s, int socket, int fd, int family) {
  unsigned char data[512];
  struct packet packet;
  ssize_t size;
  while ((size = recv(fd, data, sizeof data, 0)) >= 0 || errno == EINTR) {
    if (size < 0 || !read_packet(data, size, family, &packet)) continue;
    uint32_t index = packet.payload.index;
    if (packet.header.un.echo.id != htons(s->exchange.identifier) || packet.payload.cookie != s->exchange.cookie
        || index >= (uint32_t)s->count || s->echoes[index].socket != socket || s->echoes[index].round_trip != 0)
      continue;
    struct cnl_echo *echo = &s->echoes[index];
    s->last = nanoseconds();
    int64_t taken = s->last - packet.payload.sent;
    echo->round_trip = taken > 0 ? taken : 1;
    if (!echo->expected) continue;
    s->missing--;
    if (echo->round_trip > s->slowest) s->slowest = echo->round_trip;
  }
}

/// Nanoseconds still to wait for something to happen; 0 when it is over.
static int64_t time_left(const struct state *s, int64_t sent) {
  int64_t now = nanoseconds();
  int64_t grace = s->exchange.grace > 10 * s->slowest ? s->exchange.grace : 10 * s->slowest;
  if (grace > 1000000000) grace = 1000000000;
  int64_t patience = s->missing ? s->last + s->exchange.patience - now : 0;
  int64_t silence = s->unexpected ? sent + grace - now : 0;
  int64_t left = patience > silence ? patience : silence;
  return left > 0 ? left : 0;
}

int cnl_exchange_echoes(const int *sockets, const int *families, int socket_count, struct cnl_echo *echoes, int count,
                        struct cnl_echo_exchange exchange) {
  struct state s = {.echoes = echoes, .count = count, .exchange = exchange};
  struct pollfd *polled = calloc(count, sizeof *polled);
  int *polled_socket = calloc(count, sizeof *polled_socket);
  bool *is_polled = calloc(socket_count, sizeof *is_polled);
  // One more, since a checksum goes by twos.
  unsigned char *bytes = calloc(1, sizeof(struct icmphdr) + exchange.size + 1);
  int polled_count = 0, result = -1;
  if (!polled || !polled_socket || !is_polled || !bytes) goto done;
  for (int i = 0; i < count; i++) {
    int socket = echoes[i].socket;
    send_echo(sockets[socket], families[socket], &echoes[i], i, &exchange, bytes);
    if (echoes[i].error == 0 && echoes[i].expected) s.missing++;
    if (echoes[i].error == 0 && !echoes[i].expected) s.unexpected++;
    if (is_polled[socket]) continue;
    is_polled[socket] = true;
    polled_socket[polled_count] = socket;
    polled[polled_count++] = (struct pollfd){.fd = sockets[socket], .events = POLLIN};
  }
  int64_t sent = s.last = nanoseconds();
  for (int64_t left; (left = time_left(&s, sent)) > 0;) {
    struct timespec timeout = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    int ready = ppoll(polled, polled_count, &timeout, NULL);
    if (ready < 0 && errno != EINTR) goto done;
    for (int i = 0; ready > 0 && i < polled_count; i++)
      if (polled[i].revents) read_answers(&s, polled_socket[i], polled[i].fd, families[polled_socket[i]]);
  }
  result = 0;
done:;
  int error = errno;
  free(polled);
  free(polled_socket);
  free(is_polled);
  free(bytes);
  errno = error;
  return result;
}
