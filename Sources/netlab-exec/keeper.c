// A keeper: the process that a lab's processes live by, and for an ordinary user all of the lab. It is process 1 of the lab's
// PID namespace: when it ends, whatever the reason, the kernel kills all others in there, and then frees what they held.
// Through a socket in a folder that only the user can enter it hands out the world, and runs the lab's daemons.
//
// When nobody is connected, the one it was started for has ended and no lab is up, the keeper ends: after `down`, after an
// `up` that failed, and whatever else became of who came. And when its socket is removed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper.h"

/// What a keeper waits for, besides its clients and daemons.
enum { ARRIVALS, FOLDER, CHILDREN, FOUNDER, FIXED };

static struct keeper keeper;
static struct pollfd set[FIXED + CLIENT_LIMIT + 2 * DAEMON_LIMIT];

static void drain(int descriptor) {
  char buffer[4096];
  while (read(descriptor, buffer, sizeof buffer) > 0) {}
}

static int hear_children(void) {
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_BLOCK, &children, NULL);
  return signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int watch(int folder) {
  char watched[32];
  snprintf(watched, sizeof watched, "/proc/self/fd/%d", folder);
  int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  inotify_add_watch(events, watched, IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF);
  return events;
}

/// Waits until something happens: what `set` says then is first of the fixed ones, then of clients and then of daemons.
static void wait_for_something(int timeout) {
  struct pollfd *next = set + FIXED;
  for (int i = 0; i < keeper.client_count; i++) {
    const struct client *client = &keeper.clients[i];
    // One whose answer is still to come asks for nothing else until then; but it may go.
    *next++ = (struct pollfd){client->socket, client->waits_for ? 0 : POLLIN, 0};
  }
  for (const struct daemon *daemon = keeper.daemons; daemon; daemon = daemon->next) {
    *next++ = (struct pollfd){daemon->output[0], POLLIN, 0};
    *next++ = (struct pollfd){daemon->control, POLLIN, 0};
  }
  if (poll(set, next - set, timeout) >= 0) return;
  for (struct pollfd *one = set; one < next; one++) one->revents = 0;
}

static void serve_all(void) {
  // Whoever asks may add and remove daemons: these come first.
  const struct pollfd *next = set + FIXED + keeper.client_count;
  for (struct daemon *daemon = keeper.daemons; daemon; daemon = daemon->next, next += 2) {
    if (next[0].revents) take_output(&daemon->log, daemon->output[0]);
    if (next[1].revents) hear_supervisor(&keeper, daemon);
  }
  for (int i = 0; i < keeper.client_count; i++)
    if (set[FIXED + i].revents && keeper.clients[i].socket >= 0) serve_client(&keeper, &keeper.clients[i]);
}

/// Whether a lab is up: in a world there is no other; otherwise its state is beside the socket.
static bool is_needed(int folder, bool has_world) {
  return has_world ? access("/run/netlab", F_OK) == 0 : faccessat(folder, "state.json", F_OK, 0) == 0;
}

static void serve(int folder, const char *name, bool has_world) {
  set[ARRIVALS] = (struct pollfd){keeper.listener, POLLIN, 0};
  set[FOLDER] = (struct pollfd){watch(folder), POLLIN, 0};
  set[CHILDREN] = (struct pollfd){hear_children(), POLLIN, 0};
  set[FOUNDER] = (struct pollfd){STARTER, POLLIN, 0};
  for (;;) {
    wait_for_something(restart_due(&keeper));
    serve_all();
    if (set[CHILDREN].revents) {
      drain(set[CHILDREN].fd);
      reap_all(&keeper);
    }
    forget_clients(&keeper);
    // Those for whom there is no room wait until others go.
    bool has_room = !set[ARRIVALS].revents || welcome(&keeper);
    set[ARRIVALS].events = has_room || keeper.client_count == 0 ? POLLIN : 0;
    if (set[FOUNDER].revents) {
      close(STARTER);
      set[FOUNDER].fd = -1;
    }
    if (set[FOLDER].revents) {
      drain(set[FOLDER].fd);
      // Without the socket nobody can ever come again.
      if (faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0) return;
    }
    if (set[FOUNDER].fd < 0 && keeper.client_count == 0 && !is_needed(folder, has_world)) break;
  }
  // Before the listener closes: one who is refused takes the name for free.
  unlinkat(folder, name, 0);
}

static void open_world(bool has_world) {
  static const char *const paths[HANDED_OUT] = {
      [USER] = "/proc/self/ns/user", [MOUNTS] = "/proc/self/ns/mnt", [NETWORK] = "/proc/self/ns/net"};
  keeper.namespace_count = has_world ? HANDED_OUT : 0;
  for (int i = 0; i < keeper.namespace_count; i++) keeper.world[i] = open(paths[i], O_RDONLY | O_CLOEXEC);
}

/// Each daemon takes a few descriptors, and each client one.
static void raise_descriptor_limit(void) {
  getrlimit(RLIMIT_NOFILE, &descriptor_limit);
  setrlimit(RLIMIT_NOFILE, &(struct rlimit){descriptor_limit.rlim_max, descriptor_limit.rlim_max});
}

int keep(char *const argv[], const char *path, bool has_world) {
  keeper_arguments = argv;
  prctl(PR_SET_NAME, "netlab-keeper");
  signal(SIGPIPE, SIG_IGN);
  umask(022);
  for (int kept = READY; kept <= STARTER; kept++) fcntl(kept, F_SETFD, FD_CLOEXEC);
  if (has_world) accept_user_changes();
  raise_descriptor_limit();
  open_world(has_world);
  const char *name;
  int folder = open_private_folder(path, &name);
  keeper.listener = folder < 0 ? -1 : listen_in(folder, name);
  char status = keeper.listener >= 0 ? 0 : CANNOT_EXECUTE;
  if (folder >= 0 && keeper.listener < 0) fail("listen at", path);
  // Nothing of whoever started it is held on to.
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int stream = 0; stream < 3; stream++) dup2(null, stream);
  if (chdir("/") == 0 && write(READY, &status, 1) == 1 && status == 0) {
    close(READY);
    serve(folder, name, has_world);
  }
  return status;
}
