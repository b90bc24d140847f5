// A keeper: the process that a world lives by, and with it a lab of an ordinary user. It does nothing but hand out the
// world's namespaces, through a socket in a folder that only the user can enter. When it dies, the kernel frees everything.
//
// Whoever joins gets the writing end of a pipe as well, which closes when they are done. When nobody holds one and no lab
// is up, the keeper ends: after `down`, after an `up` that failed, and whatever else became of the one who joined.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"

/// What is handed out: namespaces in the order in which they are to be entered, and the writing end of a pipe.
enum { USER, MOUNTS, NETWORK, REFERENCE, HANDED_OUT };

/// The descriptor by which a keeper tells the one who started it its status, once it can be joined or cannot be.
enum { STARTER = 3 };

/// Opens the folder of a path, in which only the caller can have put anything; -1 after a message. `name` is the rest.
static int open_private_folder(const char *path, const char **name) {
  const char *slash = strrchr(path, '/');
  char folder[PATH_MAX];
  if (!slash || slash == path || slash - path >= PATH_MAX || !slash[1]) {
    errno = EINVAL;
    fail("use the folder of", path);
    return -1;
  }
  memcpy(folder, path, slash - path);
  folder[slash - path] = 0;
  *name = slash + 1;
  int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat status;
  if (descriptor >= 0 && fstat(descriptor, &status) == 0) {
    if (status.st_uid == geteuid() && (status.st_mode & 077) == 0) return descriptor;
    errno = EPERM;
  }
  fail("use the folder of running labs", folder);
  if (descriptor >= 0) close(descriptor);
  return -1;
}

/// The address of a socket in a folder, however long the folder's path is.
static struct sockaddr_un address_of(int folder, const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder, name);
  return address;
}

// MARK: - Keeping

/// Hands the world to one who asked for it. One who went away in the meantime is none of the keeper's business.
static void hand_out(int listener, const int world[HANDED_OUT]) {
  int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (client < 0) return;
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int[HANDED_OUT]))];
  } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int[HANDED_OUT])), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
  memcpy(CMSG_DATA(&control.header), world, sizeof(int[HANDED_OUT]));
  char byte = 0;
  struct iovec data = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.bytes};
  sendmsg(client, &message, MSG_NOSIGNAL);
  close(client);
}

/// Whether the folder's socket went away: then nobody can ever come again.
static bool is_forgotten(int events, int folder, const char *name) {
  char buffer[4096];
  while (read(events, buffer, sizeof buffer) > 0) {}
  return faccessat(folder, name, F_OK, 0) != 0;
}

/// The writing end of the users' pipe; of a new one when nobody holds one. `users` becomes the reading end.
static int reference(int *users) {
  char again[32];
  snprintf(again, sizeof again, "/proc/self/fd/%d", *users);
  if (*users >= 0) return open(again, O_WRONLY | O_CLOEXEC);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  *users = ends[0];
  return ends[1];
}

static void serve(int listener, int folder, const char *name) {
  int world[HANDED_OUT] = {
      open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC), open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC),
      open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), -1};
  char watched[32];
  snprintf(watched, sizeof watched, "/proc/self/fd/%d", folder);
  int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  inotify_add_watch(events, watched, IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF);
  // The one who started the keeper counts from the start: the pipe's other end goes with it.
  enum { ARRIVALS, FOLDER, FIRST_USER, USERS };
  struct pollfd set[] = {{listener, POLLIN, 0}, {events, POLLIN, 0}, {STARTER, 0, 0}, {-1, 0, 0}};
  for (;;) {
    if (poll(set, 4, -1) < 0) continue;
    if (set[FOLDER].revents && is_forgotten(events, folder, name)) return;
    if (set[ARRIVALS].revents) {
      world[REFERENCE] = reference(&set[USERS].fd);
      hand_out(listener, world);
      close(world[REFERENCE]);
      continue;
    }
    for (int i = FIRST_USER; i <= USERS; i++) {
      if (set[i].fd < 0 || !set[i].revents) continue;
      close(set[i].fd);
      set[i].fd = -1;
    }
    if (set[FIRST_USER].fd < 0 && set[USERS].fd < 0 && access("/run/netlab", F_OK) != 0) break;
  }
  // Before the listener closes: one who is refused takes the name for free.
  unlinkat(folder, name, 0);
}

static int listen_at(const char *path, const struct sockaddr_un *address) {
  umask(0177);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener >= 0 && bind(listener, (const struct sockaddr *)address, sizeof *address) == 0 && listen(listener, 64) == 0)
    return listener;
  fail("listen at", path);
  return -1;
}

int keep_world(const char *path) {
  prctl(PR_SET_NAME, "netlab-keeper");
  signal(SIGPIPE, SIG_IGN);
  const char *name;
  int folder = open_private_folder(path, &name), listener = -1;
  char status = folder < 0 ? CANNOT_EXECUTE : make_world();
  if (status == 0) {
    struct sockaddr_un address = address_of(folder, name);
    listener = listen_at(path, &address);
    if (listener < 0) status = CANNOT_EXECUTE;
  }
  // Nothing of whoever started it is held on to.
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int stream = 0; stream < 3; stream++) dup2(null, stream);
  if (chdir("/") == 0 && write(STARTER, &status, 1) == 1 && status == 0) serve(listener, folder, name);
  return status;
}

// MARK: - Joining

/// Starts a keeper, which has no terminal, no parent and none of this process's files; waits until it can be joined.
static int start_keeper(const char *path) {
  int ready[2];
  if (pipe(ready) != 0) return fail("make", "a pipe");
  pid_t child = fork();
  if (child < 0) return fail("start", "a process");
  if (child == 0) {
    setsid();
    pid_t keeper = fork();
    if (keeper != 0) _exit(keeper > 0 ? 0 : fail("start", "a process"));
    dup2(ready[1], STARTER);
    close_range(STARTER + 1, ~0U, 0);
    execl("/proc/self/exe", "netlab-exec", "--keeper", path, NULL);
    _exit(fail("run", "netlab-exec"));
  }
  waitpid(child, NULL, 0);
  close(ready[1]);
  char status;
  ssize_t length;
  do length = read(ready[0], &status, 1);
  while (length < 0 && errno == EINTR);
  // The reading end stays open: the keeper stays as long as this process, or the command that it becomes, does.
  fcntl(ready[0], F_SETFD, FD_CLOEXEC);
  return length == 1 ? status : CANNOT_EXECUTE;
}

/// Asks a keeper for its world; whether there is one. If not, ECONNREFUSED means that it was killed.
static bool ask(int folder, const char *name, int world[HANDED_OUT]) {
  struct sockaddr_un address = address_of(folder, name);
  int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (server < 0 || connect(server, (struct sockaddr *)&address, sizeof address) != 0) {
    if (server >= 0) close(server);
    return false;
  }
  errno = 0;
  struct ucred keeper = {.uid = (uid_t)-1};
  socklen_t size = sizeof keeper;
  getsockopt(server, SOL_SOCKET, SO_PEERCRED, &keeper, &size);
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int[HANDED_OUT]))];
  } control;
  char byte;
  struct iovec data = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.bytes};
  bool answered = keeper.uid == geteuid() && recvmsg(server, &message, MSG_CMSG_CLOEXEC) == 1
                  && message.msg_controllen >= sizeof control.header
                  && control.header.cmsg_len == CMSG_LEN(sizeof(int[HANDED_OUT]));
  if (answered) memcpy(world, CMSG_DATA(&control.header), sizeof(int[HANDED_OUT]));
  close(server);
  return answered;
}

static int enter(const int world[HANDED_OUT]) {
  static const int types[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET};
  char directory[PATH_MAX];
  if (!getcwd(directory, sizeof directory)) return fail("find", "the working directory");
  for (int i = USER; i <= NETWORK; i++) {
    if (setns(world[i], types[i]) != 0) return fail("enter", "the namespaces of the lab");
    close(world[i]);
  }
  // Entering a mount namespace leads to its root.
  if (chdir(directory) != 0) return fail("enter the directory", directory);
  // The command holds the reference, and has to know where it is, to hand it on to nobody.
  char reference[16];
  snprintf(reference, sizeof reference, "%d", world[REFERENCE]);
  fcntl(world[REFERENCE], F_SETFD, 0);
  setenv("NETLAB_WORLD", reference, 1);
  return 0;
}

int join_world(const char *path, int start) {
  const char *name;
  int folder = open_private_folder(path, &name), world[HANDED_OUT];
  if (folder < 0) return CANNOT_EXECUTE;
  // One at a time starts a keeper.
  if (flock(folder, LOCK_EX) != 0) return fail("lock the folder of", path);
  while (!ask(folder, name, world)) {
    // One that ended has removed its socket itself.
    if (errno == ECONNREFUSED) unlinkat(folder, name, 0);
    if (!start) {
      fprintf(stderr,
              "netlab: the lab '%s' is not running any more: its keeper, the process that held it, has ended\n"
              "  `netlab up FILE` brings it up again.\n",
              name);
      return LAB_WRONG;
    }
    int status = start_keeper(path);
    if (status != 0) return status;
  }
  close(folder);
  return enter(world);
}
