#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cnetlink.h"

enum { DESCRIPTORS = 4096, KEPT_BYTES = 1 << 28, GROWTH_BYTES = 4 << 20 };

static void make_room_for_descriptors(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  rlim_t wanted = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
  struct rlimit raised = {limit.rlim_cur > wanted ? limit.rlim_cur : wanted, limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &raised);
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int last = fcntl(null, F_DUPFD_CLOEXEC, (int)wanted - 1);
  if (last >= 0) close(last);
  if (null >= 0) close(null);
  setrlimit(RLIMIT_NOFILE, &limit);
}

void cnl_prepare_process(void) {
  make_room_for_descriptors();
  mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
  mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
  mallopt(M_TOP_PAD, GROWTH_BYTES);
}
