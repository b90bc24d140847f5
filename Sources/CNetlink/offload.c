#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cnetlink.h"

int cnl_offload(int socket, const char *device, unsigned command, unsigned *value) {
  struct ethtool_value request = {.cmd = command, .data = *value};
  struct ifreq call = {.ifr_data = (void *)&request};
  strncpy(call.ifr_name, device, IFNAMSIZ - 1);
  if (ioctl(socket, SIOCETHTOOL, &call) != 0) return -1;
  *value = request.data;
  return 0;
}
