#include <malloc.h>

#include "cnetlink.h"

void cnl_keep_freed_memory(void) {
  mallopt(M_TRIM_THRESHOLD, 1 << 28);
  mallopt(M_MMAP_THRESHOLD, 1 << 28);
  mallopt(M_TOP_PAD, 4 << 20);
}
