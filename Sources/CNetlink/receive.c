#define _GNU_SOURCE
#include <errno.h>
#include <libmnl/libmnl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <threads.h>

#include "cnetlink.h"

// The kernel fills at most 32 KiB at a time, or one link with all its attributes.
enum { DATAGRAMS = 4, SIZE = 1 << 16 };

static tss_t key;
static once_flag once = ONCE_FLAG_INIT;

static void make_key(void) { tss_create(&key, free); }

/// The thread's buffer: memory that is used again and again is there already.
static unsigned char *buffer(void) {
  call_once(&once, make_key);
  unsigned char *buffer = tss_get(key);
  if (!buffer && (buffer = malloc(DATAGRAMS * SIZE))) tss_set(key, buffer);
  return buffer;
}

int cnl_receive(const struct mnl_socket *socket, int milliseconds, struct cnl_datagram *datagrams, int count) {
  unsigned char *bytes = buffer();
  if (!bytes) return -1;
  unsigned capacity = count < DATAGRAMS ? count : DATAGRAMS;
  struct mmsghdr messages[DATAGRAMS] = {0};
  struct iovec vectors[DATAGRAMS];
  struct sockaddr_nl senders[DATAGRAMS];
  for (int i = 0; i < DATAGRAMS; i++) {
    vectors[i] = (struct iovec){.iov_base = bytes + i * SIZE, .iov_len = SIZE};
    messages[i].msg_hdr = (struct msghdr){
        .msg_name = &senders[i], .msg_namelen = sizeof senders[i], .msg_iov = &vectors[i], .msg_iovlen = 1};
  }
  int descriptor = mnl_socket_get_fd(socket);
  // The kernel has mostly answered before the request is sent: there is nothing to wait for.
  while ((count = recvmmsg(descriptor, messages, capacity, MSG_DONTWAIT, NULL)) < 0) {
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return -1;
    struct pollfd event = {.fd = descriptor, .events = POLLIN};
    int result = poll(&event, 1, milliseconds);
    if (result == 0) errno = EAGAIN;
    if (result == 0 || (result < 0 && errno != EINTR)) return -1;
  }
  for (int i = 0; i < count; i++) {
    if (messages[i].msg_hdr.msg_flags & MSG_TRUNC) {
      errno = EMSGSIZE;
      return -1;
    }
    size_t size = senders[i].nl_pid == 0 ? messages[i].msg_len : 0;
    datagrams[i] = (struct cnl_datagram){.bytes = vectors[i].iov_base, .size = size};
  }
  return count;
}
