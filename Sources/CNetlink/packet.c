#define _GNU_SOURCE
#include "cnl_packet.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cnetlink.h"

_Static_assert(sizeof(struct cnl_packet_instruction) == sizeof(struct sock_filter), "a BPF instruction");

/// Opens a packet socket inside a namespace, where it stays.
static int socket_in(int ns) {
  int home = cnl_open_current_namespace();
  if (home < 0) return -1;
  int result = -1;
  if (setns(ns, CLONE_NEWNET) == 0) {
    // Protocol 0: nothing arrives before the filter is there.
    result = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = errno;
    if (setns(home, CLONE_NEWNET) != 0) abort();
    errno = error;
  }
  int error = errno;
  close(home);
  errno = error;
  return result;
}

int cnl_packet_open(int ns, int ifindex, const struct cnl_packet_instruction *filter, int count) {
  int fd = socket_in(ns);
  if (fd < 0) return -1;
  struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)filter};
  int on = 1, size = 8 << 20;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  // Frames to other addresses are to be seen, too.
  struct packet_mreq all = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC};
  struct sockaddr_ll device = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifindex};
  if ((count > 0 && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) ||
      setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) != 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) != 0 ||
      bind(fd, (struct sockaddr *)&device, sizeof device) != 0) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

/// Puts a tag behind the two addresses.
static void restore_tag(struct cnl_packet *packet, uint8_t *bytes, const struct tpacket_auxdata *data) {
  const size_t addresses = 2 * ETH_ALEN;
  if (!(data->tp_status & TP_STATUS_VLAN_VALID) || packet->length < addresses) return;
  uint16_t type = data->tp_status & TP_STATUS_VLAN_TPID_VALID ? data->tp_vlan_tpid : ETH_P_8021Q;
  uint16_t tag[] = {htons(type), htons(data->tp_vlan_tci)};
  memmove(bytes + addresses + sizeof tag, bytes + addresses, packet->length - addresses);
  memcpy(bytes + addresses, tag, sizeof tag);
  packet->length += sizeof tag;
  packet->original_length += sizeof tag;
}

int cnl_packet_read(int fd, struct cnl_packet *packet, uint8_t *bytes, size_t size) {
  struct sockaddr_ll from;
  struct iovec vector = {.iov_base = bytes, .iov_len = size - 4};
  _Alignas(struct cmsghdr) char control[256];
  struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &vector, .msg_iovlen = 1,
                           .msg_control = control, .msg_controllen = sizeof control};
  ssize_t length;
  // Each device that goes down makes the socket report ENETDOWN once: there may be more after it.
  do length = recvmsg(fd, &message, MSG_TRUNC);
  while (length < 0 && (errno == EINTR || errno == ENETDOWN));
  if (length < 0) return errno == EAGAIN ? 0 : -1;
  *packet = (struct cnl_packet){.is_outgoing = from.sll_pkttype == PACKET_OUTGOING,
                                .length = (size_t)length < size - 4 ? (size_t)length : size - 4,
                                .original_length = length};
  struct tpacket_auxdata data = {0};
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) memcpy(&data, CMSG_DATA(c), sizeof data);
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec time;
      memcpy(&time, CMSG_DATA(c), sizeof time);
      packet->time = time.tv_sec * 1000000000LL + time.tv_nsec;
    }
  }
  // The filter may have cut it; the kernel says how long it was.
  if (data.tp_len > packet->original_length) packet->original_length = data.tp_len;
  restore_tag(packet, bytes, &data);
  return 1;
}

int cnl_packet_counts(int fd, unsigned *seen, unsigned *lost) {
  struct tpacket_stats stats;
  socklen_t size = sizeof stats;
  if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) != 0) return -1;
  *seen = stats.tp_packets;
  *lost = stats.tp_drops;
  return 0;
}
