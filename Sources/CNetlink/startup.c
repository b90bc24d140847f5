#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
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

/// A standard stream that is closed stays unusable, where the next file to be opened would take its place.
static void keep_closed_streams(void) {
  for (int stream = 0; stream < 3; stream++)
    if (fcntl(stream, F_GETFD) < 0) open("/dev/null", stream == STDOUT_FILENO ? O_RDONLY : O_RDWR);
}

static void do_nothing(int number) { (void)number; }

void cnl_prepare_process(void) {
  keep_closed_streams();
  // Whoever writes to a reader who is gone learns it from the error. What this process becomes, or starts, dies of the
  // signal as ever, since a handler does not outlive exec.
  sigaction(SIGPIPE, &(struct sigaction){.sa_handler = do_nothing, .sa_flags = SA_RESTART}, NULL);
  make_room_for_descriptors();
  mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
  mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
  mallopt(M_TOP_PAD, GROWTH_BYTES);
}
