// The floor: the kernel objects of the lab "Crowd" with the attributes that netlab gives them, made and dropped by
// netlink alone. It validates, remembers, compares and reads back nothing.
//
//   cc -O2 -Wall -o floor floor.c
//   floor N hybrid|linuxbridge      prints milliseconds: namespaces links addresses up down
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *mark = "netlab/crowd/0123456789abcdef0123456789abcdef";

static void check(bool good, const char *what) {
  if (good) return;
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

// MARK: - Messages

enum { CHUNK = 1 << 16, REQUESTS = 128 };
static char buffer[CHUNK + 4096];
static size_t length;
static int requests;
static struct nlmsghdr *current;

static void *append(const void *data, size_t size) {
  void *place = buffer + length;
  memset(place, 0, NLMSG_ALIGN(size));
  if (data) memcpy(place, data, size);
  length += NLMSG_ALIGN(size);
  return place;
}

static struct rtattr *attribute(int type, const void *data, size_t size) {
  struct rtattr *a = append(NULL, RTA_LENGTH(0));
  a->rta_type = type;
  a->rta_len = RTA_LENGTH(size);
  append(data, size);
  return a;
}
static void number(int type, unsigned value) { attribute(type, &value, 4); }
static void small(int type, unsigned char value) { attribute(type, &value, 1); }
static void half(int type, unsigned short value) { attribute(type, &value, 2); }
static void text(int type, const char *value) { attribute(type, value, strlen(value) + 1); }
static struct rtattr *nest(int type) { return attribute(type, NULL, 0); }
static void end_nest(struct rtattr *a) { a->rta_len = buffer + length - (char *)a; }

static void flush(int socket) {
  if (!requests) return;
  current->nlmsg_flags |= NLM_F_ACK;
  unsigned last = current->nlmsg_seq;
  check(send(socket, buffer, length, 0) >= 0, "send");
  for (bool done = false; !done;) {
    static char answer[1 << 16];
    int left = recv(socket, answer, sizeof answer, 0);
    check(left >= 0, "recv");
    for (struct nlmsghdr *h = (void *)answer; NLMSG_OK(h, (unsigned)left); h = NLMSG_NEXT(h, left)) {
      if (h->nlmsg_type != NLMSG_ERROR) continue;
      errno = -*(int *)NLMSG_DATA(h);
      check(errno == 0, "request");
      if (h->nlmsg_seq == last) done = true;
    }
  }
  length = requests = 0;
}

static void begin(int socket, int type, int flags) {
  static unsigned sequence;
  if (length > CHUNK - 4096 || requests == REQUESTS) flush(socket);
  current = append(NULL, sizeof *current);
  *current = (struct nlmsghdr){.nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST, .nlmsg_seq = ++sequence};
  requests++;
}
static void end(void) { current->nlmsg_len = buffer + length - (char *)current; }
static const int NEW = NLM_F_CREATE | NLM_F_EXCL;

static void link_header(int family, int index, unsigned flags) {
  struct ifinfomsg i = {.ifi_family = family, .ifi_index = index, .ifi_flags = flags, .ifi_change = flags};
  append(&i, sizeof i);
}

// MARK: - Namespaces

struct node {
  char name[64];
  int namespace, socket;
};

static void write_setting(const char *path, const char *value) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  check(file >= 0 && write(file, value, 1) == 1, path);
  close(file);
}

static void make_namespace(struct node *node, bool is_host) {
  check(unshare(CLONE_NEWNET) == 0, "unshare");
  node->namespace = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  node->socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  check(node->namespace >= 0 && node->socket >= 0, "socket");
  int size = 4 << 20, on = 1;
  setsockopt(node->socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  setsockopt(node->socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  setsockopt(node->socket, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  write_setting("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
  if (is_host) {
    write_setting("/proc/sys/net/ipv4/conf/default/arp_ignore", "1");
    write_setting("/proc/sys/net/ipv4/conf/default/arp_announce", "2");
  }
  char path[128];
  snprintf(path, sizeof path, "/run/netns/%s", node->name);
  int file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
  check(file >= 0, path);
  close(file);
  check(mount("/proc/thread-self/ns/net", path, "none", MS_BIND, NULL) == 0, "mount");
}

/// Whether a namespace, found by its name, carries the mark, and whether its links are those that were made: what nobody
/// may leave out who removes only what is theirs.
static void examine(const char *path, int home) {
  static char answer[1 << 16];
  int namespace = open(path, O_RDONLY | O_CLOEXEC);
  check(namespace >= 0 && setns(namespace, CLONE_NEWNET) == 0, path);
  int links = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  check(setns(home, CLONE_NEWNET) == 0, "setns");
  begin(links, RTM_GETLINK, NLM_F_DUMP);
  link_header(0, 0, 0);
  number(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  end();
  check(send(links, buffer, length, 0) >= 0, "send");
  length = requests = 0;
  bool marked = false;
  for (bool done = false; !done;) {
    int left = recv(links, answer, sizeof answer, 0);
    check(left >= 0, "recv");
    for (struct nlmsghdr *h = (void *)answer; NLMSG_OK(h, (unsigned)left); h = NLMSG_NEXT(h, left)) {
      done = done || h->nlmsg_type == NLMSG_DONE;
      marked = marked || memmem(h, h->nlmsg_len, mark, strlen(mark));
    }
  }
  check(marked, "mark");
  close(links);
  close(namespace);
}

static void drop_namespace(struct node *node, int home) {
  char path[128];
  snprintf(path, sizeof path, "/run/netns/%s", node->name);
  examine(path, home);
  umount2(path, MNT_DETACH);
  unlink(path);
  close(node->namespace);
  close(node->socket);
}

// MARK: - Links

static int host_socket;

static void bridge(int index, const char *name, bool is_plug, bool filters) {
  begin(host_socket, RTM_NEWLINK, NEW);
  link_header(0, index, 0);
  text(IFLA_IFNAME, name);
  number(IFLA_MTU, 1500);
  struct rtattr *info = nest(IFLA_LINKINFO);
  text(IFLA_INFO_KIND, "bridge");
  struct rtattr *data = nest(IFLA_INFO_DATA);
  if (filters) small(IFLA_BR_VLAN_FILTERING, 1);
  if (filters || is_plug) half(IFLA_BR_VLAN_DEFAULT_PVID, 0);
  number(IFLA_BR_STP_STATE, 0);
  number(IFLA_BR_FORWARD_DELAY, 0);
  if (is_plug) number(IFLA_BR_AGEING_TIME, 0);
  small(IFLA_BR_MCAST_SNOOPING, 0);
  end_nest(data);
  end_nest(info);
  end();
}

static void queues(void) {
  number(IFLA_NUM_TX_QUEUES, 1);
  number(IFLA_NUM_RX_QUEUES, 1);
}

static void cable(int index, const char *name, int master, unsigned flags, const unsigned char *mac, int peer_index,
                  const char *peer, int peer_namespace, const unsigned char *peer_mac) {
  begin(host_socket, RTM_NEWLINK, NEW);
  link_header(0, index, flags);
  text(IFLA_IFNAME, name);
  number(IFLA_MTU, 1500);
  number(IFLA_MASTER, master);
  queues();
  if (mac) attribute(IFLA_ADDRESS, mac, 6);
  struct rtattr *info = nest(IFLA_LINKINFO);
  text(IFLA_INFO_KIND, "veth");
  struct rtattr *data = nest(IFLA_INFO_DATA), *end_two = nest(VETH_INFO_PEER);
  link_header(0, peer_index, 0);
  text(IFLA_IFNAME, peer);
  queues();
  number(IFLA_MTU, 1500);
  if (peer_namespace >= 0) number(IFLA_NET_NS_FD, peer_namespace);
  if (peer_mac) attribute(IFLA_ADDRESS, peer_mac, 6);
  end_nest(end_two);
  end_nest(data);
  end_nest(info);
  end();
}

static void set(int socket, int index, unsigned flags, int master, const char *alias) {
  begin(socket, RTM_NEWLINK, 0);
  link_header(0, index, flags);
  if (master) number(IFLA_MASTER, master);
  if (alias) text(IFLA_IFALIAS, alias);
  end();
}

static void altname(int socket, int index, const char *name) {
  begin(socket, RTM_NEWLINKPROP, NEW);
  link_header(0, index, 0);
  struct rtattr *list = nest(IFLA_PROP_LIST | NLA_F_NESTED);
  text(IFLA_ALT_IFNAME, name);
  end_nest(list);
  end();
}

static void marks(int index, const char *kind, int vm) {
  char name[64], alias[96];
  snprintf(name, sizeof name, "%s-vm-%d", kind, vm);
  snprintf(alias, sizeof alias, "netlab/crowd/%s", name);
  set(host_socket, index, 0, 0, alias);
  altname(host_socket, index, name);
}

static void mark_loopback(int socket) {
  set(socket, 1, IFF_UP, 0, mark);
  altname(socket, 1, "netlab-0123456789abcdef0123456789abcdef");
}

static void tag(int index) {
  begin(host_socket, RTM_SETLINK, 0);
  link_header(AF_BRIDGE, index, 0);
  struct rtattr *spec = nest(IFLA_AF_SPEC | NLA_F_NESTED);
  struct bridge_vlan_info info = {BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED, 1};
  attribute(IFLA_BRIDGE_VLAN_INFO, &info, sizeof info);
  end_nest(spec);
  end();
}

enum { FIRST = 16, ETH0 = 16 };

static void make_links(struct node *nodes, int count, bool hybrid) {
  char name[5][IFNAMSIZ];
  int fabric = FIRST, next = FIRST + 1;
  mark_loopback(host_socket);
  bridge(fabric, hybrid ? "br-int" : "brq5f1b5c6f-1e", false, hybrid);
  set(host_socket, fabric, 0, 0, "netlab/crowd/compute-1/fabric");
  for (int i = 1; i <= count; i++) {
    int tap = next++, qbr = 0, qvb = 0, qvo = 0;
    const char *kinds[] = {"tap", "qbr", "qvb", "qvo"};
    for (int k = 0; k < 4; k++) snprintf(name[k], IFNAMSIZ, "%s%08x-00", kinds[k], i);
    unsigned char inside[6] = {0xfa, 0x16, 0x3e, 0, i >> 8, i}, outside[6] = {0xfe, 0x16, 0x3e, 0, i >> 8, i};
    if (hybrid) {
      qbr = next++, qvb = next++, qvo = next++;
      bridge(qbr, name[1], true, false);
      cable(qvb, name[2], qbr, IFF_UP | IFF_PROMISC, NULL, qvo, name[3], -1, NULL);
      set(host_socket, qvo, IFF_UP | IFF_PROMISC, fabric, NULL);
    }
    cable(tap, name[0], hybrid ? qbr : fabric, IFF_UP, outside, ETH0, "eth0", nodes[i].namespace, inside);
    marks(tap, "tap", i);
    if (!hybrid) continue;
    marks(qbr, "qbr", i);
    marks(qvb, "qvb", i);
    marks(qvo, "qvo", i);
    tag(qvo);
    set(host_socket, qbr, IFF_UP, 0, NULL);
  }
  // Each port that joins a bridge which is up costs more than the one before.
  set(host_socket, fabric, IFF_UP, 0, NULL);
  flush(host_socket);
}

static void make_addresses(struct node *nodes, int count) {
  for (int i = 1; i <= count; i++) {
    char alias[64];
    snprintf(alias, sizeof alias, "netlab/crowd/vm-%d/eth0", i);
    int socket = nodes[i].socket;
    mark_loopback(socket);
    set(socket, ETH0, IFF_UP, 0, alias);
    begin(socket, RTM_NEWADDR, NEW);
    struct ifaddrmsg header = {.ifa_family = AF_INET, .ifa_prefixlen = 16, .ifa_index = ETH0};
    append(&header, sizeof header);
    unsigned address = htonl(0x0a000001 + i);
    attribute(IFA_LOCAL, &address, 4);
    attribute(IFA_ADDRESS, &address, 4);
    end();
    flush(socket);
  }
}

int main(int count_of_arguments, char **arguments) {
  if (count_of_arguments != 3) return 2;
  int count = atoi(arguments[1]);
  bool hybrid = strcmp(arguments[2], "hybrid") == 0;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  struct node *nodes = calloc(count + 1, sizeof *nodes);
  int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  mkdir("/run/netns", 0755);
  if (mount("", "/run/netns", "none", MS_SHARED | MS_REC, NULL) != 0) {
    check(mount("/run/netns", "/run/netns", "none", MS_BIND | MS_REC, NULL) == 0, "bind /run/netns");
    check(mount("", "/run/netns", "none", MS_SHARED | MS_REC, NULL) == 0, "share /run/netns");
  }
  double start = now();
  for (int i = 0; i <= count; i++) {
    snprintf(nodes[i].name, sizeof nodes[i].name, "floor-%d.%d", getpid(), i);
    make_namespace(&nodes[i], i == 0);
  }
  host_socket = nodes[0].socket;
  double namespaces = now();
  make_links(nodes, count, hybrid);
  double links = now();
  make_addresses(nodes, count);
  double up = now();
  check(setns(home, CLONE_NEWNET) == 0, "setns");
  for (int i = 0; i <= count; i++) drop_namespace(&nodes[i], home);
  double down = now();
  printf("%.2f %.2f %.2f %.2f %.2f\n", namespaces - start, links - namespaces, up - links, up - start, down - up);
  return 0;
}
