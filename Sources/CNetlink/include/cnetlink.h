#ifndef CNETLINK_H
#define CNETLINK_H
// netinet/in.h comes before the linux headers that redefine its types otherwise.
#include <netinet/in.h>
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include "cnl_sandbox.h"
#endif
