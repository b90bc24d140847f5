#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cnetlink.h"

static int ask(int socket, const char *device, void *request) {
  struct ifreq call = {.ifr_data = request};
  strncpy(call.ifr_name, device, IFNAMSIZ - 1);
  return ioctl(socket, SIOCETHTOOL, &call);
}

int cnl_feature_names(int socket, const char *device, char *names, int limit) {
  _Alignas(8) unsigned char room[sizeof(struct ethtool_sset_info) + sizeof(unsigned)] = {0};
  struct ethtool_sset_info *size = (void *)room;
  size->cmd = ETHTOOL_GSSET_INFO;
  size->sset_mask = 1ULL << ETH_SS_FEATURES;
  if (ask(socket, device, size) != 0) return -1;
  struct ethtool_gstrings *request = calloc(1, sizeof *request + (size_t)size->data[0] * ETH_GSTRING_LEN);
  if (!request) return -1;
  *request = (struct ethtool_gstrings){.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES, .len = size->data[0]};
  int result = ask(socket, device, request);
  int count = (int)request->len < limit ? (int)request->len : limit;
  if (result == 0) memcpy(names, request->data, (size_t)count * ETH_GSTRING_LEN);
  free(request);
  return result == 0 ? count : -1;
}

int cnl_active_features(int socket, const char *device, unsigned *words, int count) {
  enum { MOST = 8 };
  if (count > MOST) {
    errno = EOVERFLOW;
    return -1;
  }
  unsigned room[(sizeof(struct ethtool_gfeatures) + MOST * sizeof(struct ethtool_get_features_block)) / sizeof(unsigned)];
  memset(room, 0, sizeof room);
  struct ethtool_gfeatures *request = (void *)room;
  request->cmd = ETHTOOL_GFEATURES;
  request->size = MOST;
  if (ask(socket, device, request) != 0) return -1;
  for (int i = 0; i < count; i++) words[i] = request->features[i].active;
  return 0;
}

int cnl_set_offload(int socket, const char *device, unsigned command, unsigned value) {
  struct ethtool_value request = {.cmd = command, .data = value};
  return ask(socket, device, &request);
}
