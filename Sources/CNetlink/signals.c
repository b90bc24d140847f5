#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "cnetlink.h"

static const int heard[] = {SIGINT, SIGTERM, SIGHUP};
enum { HEARD = sizeof heard / sizeof *heard };

/// Stays open: a handler may be about to write to it whenever something else happens.
static int ends[2] = {-1, -1};

static void report(int number) {
  int error = errno;
  unsigned char byte = (unsigned char)number;
  // When the pipe is full, enough has been said.
  (void)!write(ends[1], &byte, 1);
  errno = error;
}

static void handle(void (*handler)(int)) {
  for (int i = 0; i < HEARD; i++) {
    struct sigaction present, wanted = {.sa_handler = handler, .sa_flags = SA_RESTART};
    // nohup wants it to go on. (A shell also has its background jobs ignore SIGINT; who sends them one means it.)
    bool is_ignored = sigaction(heard[i], NULL, &present) == 0 && present.sa_handler == SIG_IGN;
    if (heard[i] != SIGHUP || !is_ignored) sigaction(heard[i], &wanted, NULL);
  }
}

int cnl_hear_signals(void) {
  if (ends[0] < 0 && pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
  handle(report);
  return ends[0];
}

void cnl_obey_signals(void) { handle(SIG_DFL); }
