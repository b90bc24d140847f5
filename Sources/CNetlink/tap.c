#define _GNU_SOURCE
#include "cnetlink.h"
#include "internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PROBE_ETHERTYPE = 0x88b5 };

/// Appends instructions that accept a frame whose two addresses at `at` are `a` and `b`; otherwise goes on.
static int match_pair(struct sock_filter *code, int n, int at, const uint8_t *a, const uint8_t *b, int length) {
  int start = n, words = length / 4;
  for (int i = 0; i < 2 * words; i++) {
    uint32_t word;
    memcpy(&word, i < words ? a + 4 * i : b + 4 * (i - words), 4);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at + 4 * i);
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(word), 0, 0);
  }
  code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffff);
  for (int i = start + 1; i < n - 1; i += 2) code[i].jf = n - i - 1;
  return n;
}

/// The filter program. With a tag in the bytes everything lies four bytes further; such frames are rare, so all of
/// them pass and are looked at later.
static int make_filter(struct sock_filter *code, const struct cnl_tap_filter *filter) {
  int n = 0;
  code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12);
  const int all[] = {PROBE_ETHERTYPE, ETH_P_ARP, ETH_P_8021Q, ETH_P_8021AD};
  for (int i = 0; i < 4; i++) {
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, all[i], 0, 1);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffff);
  }
  if (filter->length == 4 || filter->length == 16) {
    int is4 = filter->length == 4, at = is4 ? 26 : 22;
    int jump = n++;
    if (!is4) {  // neighbour discovery goes to groups
      code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 54);
      code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 135, 1, 0);
      code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 136, 0, 1);
      code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffff);
    }
    n = match_pair(code, n, at, filter->first, filter->second, filter->length);
    n = match_pair(code, n, at, filter->second, filter->first, filter->length);
    code[jump] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, is4 ? ETH_P_IP : ETH_P_IPV6, 0, n - jump - 1);
  }
  code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
  return n;
}

int cnl_tap_open(int ns, const struct cnl_tap_filter *filter) {
  struct sock_filter code[64];
  struct sock_fprog program = {.len = make_filter(code, filter), .filter = code};
  return cnl_open_packet_socket(ns, 0, &program, 4 << 20);
}

int cnl_tap_read(int tap, struct cnl_tap_frame *frame, void *bytes, size_t size) {
  struct cnl_received received;
  int result = cnl_receive_frame(tap, &received, bytes, size);
  if (result != 1) return result;
  *frame = (struct cnl_tap_frame){
      .ifindex = received.from.sll_ifindex,
      .is_outgoing = received.from.sll_pkttype == PACKET_OUTGOING,
      .tag = received.data.tp_status & TP_STATUS_VLAN_VALID ? received.data.tp_vlan_tci & 0xfff : -1,
      .time = received.time,
      .length = received.length < size ? received.length : size};
  return 1;
}

static void *close_one(void *fd) {
  close((int)(intptr_t)fd);
  return NULL;
}

void cnl_tap_close(const int *taps, int count) {
  pthread_t threads[count > 0 ? count : 1];
  int started = 0;
  for (; started < count; started++)
    if (pthread_create(&threads[started], NULL, close_one, (void *)(intptr_t)taps[started]) != 0) break;
  for (int i = started; i < count; i++) close(taps[i]);
  for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
}

int64_t cnl_tap_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

static socklen_t make_address(union address *result, const uint8_t *address, int length, int port) {
  memset(result, 0, sizeof *result);
  if (length == 4) {
    result->v4.sin_family = AF_INET;
    result->v4.sin_port = htons(port);
    memcpy(&result->v4.sin_addr, address, 4);
    return sizeof result->v4;
  }
  result->v6.sin6_family = AF_INET6;
  result->v6.sin6_port = htons(port);
  memcpy(&result->v6.sin6_addr, address, 16);
  return sizeof result->v6;
}

int cnl_probe_open(int ns, int protocol, const uint8_t *address, int length) {
  int family = length == 4 ? AF_INET : AF_INET6;
  int type = protocol == IPPROTO_TCP ? SOCK_STREAM : protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_RAW;
  int probe = cnl_socket_in(ns, family, type | SOCK_NONBLOCK, protocol);
  if (probe < 0) return -1;
  int on = 1, forbid = IP_PMTUDISC_PROBE;
  union address own;
  socklen_t size = make_address(&own, address, length, 0);
  setsockopt(probe, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
  // A refusal by ICMP is an answer, too.
  if (protocol == IPPROTO_UDP) {
    if (length == 4) setsockopt(probe, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    else setsockopt(probe, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  }
  if (length == 4) setsockopt(probe, IPPROTO_IP, IP_MTU_DISCOVER, &forbid, sizeof forbid);
  else setsockopt(probe, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &forbid, sizeof forbid);
  if (bind(probe, &own.any, size) != 0) {
    cnl_close(probe);
    return -1;
  }
  return probe;
}

int cnl_probe_port(int socket) {
  union address own;
  socklen_t size = sizeof own;
  if (getsockname(socket, &own.any, &size) != 0) return -1;
  return ntohs(own.any.sa_family == AF_INET ? own.v4.sin_port : own.v6.sin6_port);
}

static int send_once(int socket, int protocol, const union address *to, socklen_t length, const void *bytes,
                     size_t size) {
  if (protocol == IPPROTO_TCP)
    return connect(socket, &to->any, length) == 0 || errno == EINPROGRESS || errno == EALREADY ? 0 : -1;
  return sendto(socket, bytes, size, 0, &to->any, length) < 0 ? -1 : 0;
}

int cnl_probe_send(int socket, int protocol, const uint8_t *address, int length, int port, const void *bytes,
                   size_t size) {
  union address to;
  socklen_t length_of = make_address(&to, address, length, port);
  // What became of an earlier packet is told in place of sending.
  if (send_once(socket, protocol, &to, length_of, bytes, size) == 0) return 0;
  return send_once(socket, protocol, &to, length_of, bytes, size);
}

int cnl_probe_is_answered(int socket, int protocol, int identifier) {
  if (protocol == IPPROTO_UDP || protocol == IPPROTO_TCP) {
    struct pollfd state = {.fd = socket, .events = protocol == IPPROTO_UDP ? POLLIN : POLLIN | POLLOUT};
    return poll(&state, 1, 0) > 0;
  }
  uint8_t bytes[256];
  ssize_t length;
  while ((length = recv(socket, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
    // A raw socket of IPv4 shows the IP header.
    ssize_t start = protocol == IPPROTO_ICMP ? (bytes[0] & 15) * 4 : 0;
    if (length < start + 8) continue;
    int type = bytes[start], id = bytes[start + 4] << 8 | bytes[start + 5];
    if (type == (protocol == IPPROTO_ICMP ? 0 : 129) && id == identifier) return 1;
  }
  return 0;
}

int cnl_count_nft_tables(int ns) {
  int netlink = cnl_socket_in(ns, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
  if (netlink < 0) return 0;
  struct {
    struct nlmsghdr header;
    struct nfgenmsg message;
  } request = {.header = {.nlmsg_len = sizeof request,
                          .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE,
                          .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                          .nlmsg_seq = 1}};
  struct timeval patience = {.tv_sec = 5};
  setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  int count = 0, open = send(netlink, &request, sizeof request, 0) >= 0;
  while (open) {
    _Alignas(struct nlmsghdr) char buffer[32768];
    ssize_t length = recv(netlink, buffer, sizeof buffer, 0);
    if (length <= 0) break;
    for (struct nlmsghdr *h = (void *)buffer; NLMSG_OK(h, length); h = NLMSG_NEXT(h, length)) {
      if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) open = 0;
      else count++;
    }
  }
  close(netlink);
  return count;
}
