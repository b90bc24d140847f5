#define _GNU_SOURCE
#include "cnl_packet.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "cnetlink.h"
#include "internal.h"

_Static_assert(sizeof(struct cnl_packet_instruction) == sizeof(struct sock_filter), "a BPF instruction");

int cnl_open_packet_socket(int ns, int ifindex, const struct sock_fprog *filter, int buffer_size) {
  // Protocol 0: nothing arrives before the filter is there.
  int fd = cnl_socket_in(ns, AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_size, sizeof buffer_size) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_size, sizeof buffer_size);
  struct sockaddr_ll device = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifindex};
  if ((filter->len > 0 && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter, sizeof *filter) != 0) ||
      setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) != 0 ||
      bind(fd, (struct sockaddr *)&device, sizeof device) != 0) {
    cnl_close(fd);
    return -1;
  }
  return fd;
}

int cnl_receive_frame(int fd, struct cnl_received *frame, void *bytes, size_t size) {
  struct iovec vector = {.iov_base = bytes, .iov_len = size};
  _Alignas(struct cmsghdr) char control[256];
  struct msghdr message = {.msg_name = &frame->from, .msg_namelen = sizeof frame->from, .msg_iov = &vector,
                           .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t length;
  // Each device that goes down makes the socket report ENETDOWN once: there may be more after it.
  do length = recvmsg(fd, &message, MSG_TRUNC);
  while (length < 0 && (errno == EINTR || errno == ENETDOWN));
  if (length < 0) return errno == EAGAIN ? 0 : -1;
  frame->length = length;
  frame->data = (struct tpacket_auxdata){0};
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
      memcpy(&frame->data, CMSG_DATA(c), sizeof frame->data);
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec time;
      memcpy(&time, CMSG_DATA(c), sizeof time);
      frame->time = time.tv_sec * 1000000000LL + time.tv_nsec;
    }
  }
  return 1;
}

int cnl_packet_open(int ns, int ifindex, const struct cnl_packet_instruction *filter, int count) {
  struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)filter};
  int fd = cnl_open_packet_socket(ns, ifindex, &program, 8 << 20);
  // Frames to other addresses are to be seen, too.
  struct packet_mreq all = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC};
  if (fd >= 0 && setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) != 0) {
    cnl_close(fd);
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
  struct cnl_received frame;
  int result = cnl_receive_frame(fd, &frame, bytes, size - 4);
  if (result != 1) return result;
  *packet = (struct cnl_packet){.is_outgoing = frame.from.sll_pkttype == PACKET_OUTGOING,
                                .time = frame.time,
                                .length = frame.length < size - 4 ? frame.length : size - 4,
                                .original_length = frame.length};
  // The filter may have cut it; the kernel says how long it was.
  if (frame.data.tp_len > packet->original_length) packet->original_length = frame.data.tp_len;
  restore_tag(packet, bytes, &frame.data);
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
